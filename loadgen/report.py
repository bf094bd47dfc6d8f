"""What the load saw: the figures of a drill's `load` object, and the one-second series. Pure.

Everything belongs to the second and the phase in which it was due.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadgen import intents, latency, series, validity
from loadgen.facts import Facts
from loadgen.history import Op, Operation
from loadgen.intents import Intent, Intents
from loadgen.latency import Latency
from loadgen.series import Second
from reference_app.contract.plan import Phase, Plan

FILE = "load/report.json"
"""Below the run directory."""
SLOWEST = 10


@dataclass(frozen=True)
class Count:
    """`ok` answers of `sent` requests; `errors` is the rest, `censored` those among them that were given up or have no end."""

    sent: int = 0
    ok: int = 0
    errors: int = 0
    censored: int = 0
    latency_ms: Latency = field(default_factory=Latency)


@dataclass(frozen=True)
class PhaseReport:
    """One phase in load seconds. Posts count every attempt, retries and replays among them."""

    start: float
    end: float
    recorded: bool
    requests: Count
    home: Count
    user_timeline: Count
    post: Count
    pages_complete: int
    pages_partial: int
    posts_refused: int
    posts_indeterminate: int
    intents: Intents = field(default_factory=Intents)
    home_intents: Intents = field(default_factory=Intents)
    """What users wanted from this phase on, whenever they got it: goodput where clients react."""


@dataclass(frozen=True)
class Slow:
    """One of the slowest requests. `response_ms` is a lower bound where `error` says that no answer came; then there is no trace id either."""

    n: int
    op: Op
    phase: str
    due: float
    response_ms: float
    status: int
    error: str
    trace_id: str


@dataclass(frozen=True)
class Load:
    """The `load` object of a drill. Errors, lag and latency are of the recorded phases, the other counts of the whole load.

    What the generator would have known is null when it did not live to write it down.
    """

    preset: str
    valid: bool
    invalid_reasons: list[str]
    planned: int | None
    sent: int | None
    dropped: int | None
    retried: int | None
    replayed: int | None
    lag_p99_ms: float | None
    cpu_peak: float | None
    requests: int
    errors: int
    acknowledged: int
    latency_ms: Latency
    phases: dict[str, PhaseReport]
    slowest: list[Slow] = field(default_factory=list)
    """Of the recorded phases, the slowest first; none of an invalid run."""
    intents: Intents = field(default_factory=Intents)


@dataclass(frozen=True)
class Report:
    load: Load
    series: list[Second]


def build(plan: Plan, facts: Facts | None, operations: Sequence[Operation]) -> Report:
    """The report of a load that has ended; an invalid one has null latencies."""
    reasons = validity.reasons(plan, facts, operations)
    valid, by_phase = not reasons, _by_phase(plan, operations)
    recorded = [o for phase in plan.phases if phase.recorded for o in by_phase[phase.name]]
    wanted = _wanted_by_phase(plan, operations)
    load = Load(
        preset=plan.preset, valid=valid, invalid_reasons=reasons, **_of_the_generator(facts), requests=len(operations),
        errors=sum(o.type != "ok" for o in recorded), acknowledged=sum(o.acknowledged for o in operations),
        latency_ms=latency.percentiles(recorded) if valid else Latency(),
        phases={phase.name: _phase(phase, by_phase[phase.name], wanted[phase.name], valid=valid) for phase in plan.phases},
        slowest=_slowest(plan, recorded) if valid else [],
        intents=intents.summed(intent for phase in plan.phases if phase.recorded for intent in wanted[phase.name]),
    )  # fmt: skip
    return Report(load, series.build(plan, operations, valid=valid))


def _slowest(plan: Plan, recorded: Iterable[Operation]) -> list[Slow]:
    """Ties are broken by the order of sending."""
    timed = [(latency.milliseconds([operation])[0], operation) for operation in recorded if operation.censored or operation.type == "ok"]
    worst = heapq.nlargest(SLOWEST, timed, key=lambda one: (one[0], -one[1].n))
    return [
        Slow(o.n, o.op, phase.name, o.due, round(ms, 3), o.status, o.error, o.trace_id)
        for ms, o in worst
        if (phase := plan.phase_at(o.due)) is not None
    ]


def _of_the_generator(facts: Facts | None) -> dict[str, Any]:
    names = ("planned", "sent", "dropped", "retried", "replayed", "lag_p99_ms", "cpu_peak")
    return {name: getattr(facts, name, None) for name in names}


def _by_phase(plan: Plan, operations: Iterable[Operation]) -> dict[str, list[Operation]]:
    split: dict[str, list[Operation]] = {phase.name: [] for phase in plan.phases}
    for operation in operations:
        phase = plan.phase_at(operation.due)
        if phase is not None:
            split[phase.name].append(operation)
    return split


def _wanted_by_phase(plan: Plan, operations: Iterable[Operation]) -> dict[str, list[Intent]]:
    split: dict[str, list[Intent]] = {phase.name: [] for phase in plan.phases}
    for intent in intents.grouped(operations):
        phase = plan.phase_at(intent.first.due)
        if phase is not None:
            split[phase.name].append(intent)
    return split


def _phase(phase: Phase, operations: Sequence[Operation], wanted: Sequence[Intent], *, valid: bool) -> PhaseReport:
    home, timeline, posts = ([o for o in operations if o.op == op] for op in ("home", "user_timeline", "post"))
    partial = sum(o.partial for o in home if o.type == "ok")
    pages = _count(home, valid=valid)
    return PhaseReport(
        start=phase.start, end=phase.end, recorded=phase.recorded, requests=_count(operations, valid=valid),
        home=pages, user_timeline=_count(timeline, valid=valid), post=_count(posts, valid=valid),
        pages_complete=pages.ok - partial, pages_partial=partial,
        posts_refused=sum(o.type == "refused" for o in posts), posts_indeterminate=sum(o.type == "indeterminate" for o in posts),
        intents=intents.summed(wanted), home_intents=intents.summed(intent for intent in wanted if intent.first.op == "home"),
    )  # fmt: skip


def _count(operations: Sequence[Operation], *, valid: bool) -> Count:
    ok = sum(o.type == "ok" for o in operations)
    times = latency.percentiles(operations) if valid else Latency()
    return Count(len(operations), ok, len(operations) - ok, sum(o.censored for o in operations), times)
