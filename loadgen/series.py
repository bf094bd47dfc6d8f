"""The load second by second, for charts and verdicts: short spikes are flattened by anything coarser."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadgen import intents, latency
from loadgen.history import Operation
from loadgen.intents import Intent
from reference_app.contract.plan import Plan


@dataclass(frozen=True)
class Second:
    """The requests that were due in [t, t+1). A good page is a home page that was served, complete or partial.

    `wanted` and `served` are of the home pages that the plan has in this second: served are those that came with any attempt, whenever.
    """

    t: int
    phase: str
    offered: int
    good: int
    complete: int
    partial: int
    errors: int
    posts_acknowledged: int
    p99_ms: float | None
    wanted: int = 0
    served: int = 0


def build(plan: Plan, operations: Sequence[Operation], *, valid: bool = True) -> list[Second]:
    """One entry per second of the load, quiet ones included. What was due after its end (retries) is left out."""
    by_second: dict[int, list[Operation]] = defaultdict(list)
    for operation in operations:
        by_second[math.floor(operation.due)].append(operation)
    wanted = _home_pages(intents.grouped(operations))
    return [_second(plan, t, by_second[t], wanted[t], valid=valid) for t in range(math.ceil(plan.duration))]


def _home_pages(wanted: Iterable[Intent]) -> dict[int, list[Intent]]:
    by_second: dict[int, list[Intent]] = defaultdict(list)
    for intent in wanted:
        if intent.first.op == "home":
            by_second[math.floor(intent.first.due)].append(intent)
    return by_second


def _second(plan: Plan, t: int, operations: Sequence[Operation], wanted: Sequence[Intent], *, valid: bool) -> Second:
    pages = [o for o in operations if o.op == "home" and o.type == "ok"]
    phase, partial = plan.phase_at(t), sum(o.partial for o in pages)
    return Second(
        t=t, phase=phase.name if phase else "", offered=len(operations), good=len(pages), complete=len(pages) - partial, partial=partial,
        errors=sum(o.type != "ok" for o in operations), posts_acknowledged=sum(o.acknowledged for o in operations),
        p99_ms=latency.nearest_rank(latency.milliseconds(operations), 0.99) if valid else None,
        wanted=len(wanted), served=sum(intent.served for intent in wanted),
    )  # fmt: skip
