"""The faults of a drill's result: each as it was declared beside what was measured of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chaos import effect, verdict
from chaos.effect import Affected
from chaos.injections import Injection
from loadgen import history
from reference_app.contract.plan import Plan
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home
from reference_app.query.prometheus import Prometheus


@dataclass(frozen=True)
class Fault:
    """Times are ISO 8601 in UTC. `reached_traffic` is None when it is not known."""

    kind: str
    components: tuple[str, ...]
    engine: str
    injected_at: str | None
    undone_at: str | None
    reached_traffic: bool | None
    declared: dict[str, Any]
    measured: dict[str, Any]


def measure(home: Home, lab: Lab, prometheus: Prometheus, plan: Plan, applied: Sequence[Injection], *, now: float) -> tuple[Affected, ...]:
    """What each fault did to traffic. Raises PrometheusUnreachableError."""
    path = home.runs / plan.run_id / history.FILE
    return tuple(
        effect.affected(prometheus, lab, each, effect.window(each, plan, now=now), users=lambda: history.read(path)) for each in applied
    )


def told(plan: Plan, applied: Sequence[Injection], affected: Sequence[Affected] | None) -> list[Fault]:
    """All of them in order; `affected` None is not known."""
    counted: Sequence[Affected | None] = affected if affected is not None else [None] * len(applied)
    return [_fault(plan, each, operations) for each, operations in zip(applied, counted, strict=True)]


def by_kind(faults: Iterable[Fault]) -> dict[str, int] | None:
    """Operations by kind of fault: of a group that is hit, one member may have nothing to do. None when one is not known."""
    counted: dict[str, int] = {}
    for fault in faults:
        operations = fault.measured["affected_operations"]
        if operations is None:
            return None
        counted[fault.kind] = counted.get(fault.kind, 0) + operations
    return counted


def iso(at: float) -> str:
    """A moment in Unix seconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fault(plan: Plan, injection: Injection, affected: Affected | None) -> Fault:
    applied, undone = injection.applied, injection.undone
    duration = round(undone.at - applied.at, 2) if undone else None
    operations = {"affected_operations": None} if affected is None else {"affected_operations": affected.total, "affected": affected.told}
    return Fault(
        kind=applied.fault, components=applied.components, engine=applied.detail.get("engine", ""),
        injected_at=iso(applied.at), undone_at=iso(undone.at) if undone else None,
        reached_traffic=None if affected is None else affected.total >= verdict.REACHED_TRAFFIC,
        declared={"duration_s": plan.undo_at - plan.inject_at} | applied.detail.get("parameters", {}),
        measured=injection.measured | {"duration_s": duration} | operations,
    )  # fmt: skip
