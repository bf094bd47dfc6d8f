"""The course of a run, forward in time and starting before anything went wrong: load phases, fault, alerts, recovery. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chaos import injections
from chaos.clocks import Clocks
from chaos.events import Event
from postmortems import course, tables
from postmortems.evidence import CHANGES
from postmortems.incidents import LiveIncident
from postmortems.model import TimelineRow
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan
from reference_app.kit.changes import Change
from reference_app.query.prometheus import AlertSpan

_CHAOS = {
    "run_started": "the experiment starts",
    "run_vetoed": "the experiment is vetoed",
    "decider_set": "a run-time switch is set",
    "injected": "the fault is in force",
    "sham_applied": "the steps of a fault are taken, without effect",
    "inject_skipped": "the fault is skipped, as asked",
    "undone": "undone",
    "undo_failed": "undoing fails",
    "halted": "chaos is halted",
    "lease_lapsed": "the run's lease lapses",
    "reaped": "the reaper undoes what was left",
    "run_finished": "the experiment ends",
}
"""What is told; undo files and hypothesis probes are in the evidence, not in the story."""
_PHASES = {
    "warmup": "warm-up begins, not counted",
    "baseline": "baseline load begins",
    "ramp": "load begins to rise",
    "before": "the last phase before the fault begins, nothing is broken",
    "fault": "the fault's phase begins",
    "after": "the recovery phase begins",
    "decay": "load falls back",
}
_SHAM_PHASES = {"before": "the last phase before the sham begins", "fault": "the sham's phase begins"}


def rows(
    plan: Plan,
    events: Sequence[Event],
    alerts: Sequence[AlertSpan] | None,
    clocks: Clocks,
    changes: Sequence[Change] = (),
    *,
    reported: LiveIncident | None = None,
) -> tuple[TimelineRow, ...]:
    """All rows in the order of their time. Alerts are Prometheus' own; where it could not be asked, those that were reported."""
    found = [*_load(plan), *_changes(changes), *_chaos(events), *_alerts(alerts or ()), *_recovery(fault_span(events), clocks)]
    if reported is not None:
        found += course.people(reported) if alerts is not None else course.rows(reported, ())
    return tuple(sorted(found, key=lambda row: row.at))


def fault_span(events: Sequence[Event]) -> tuple[float | None, float | None]:
    """From the first injection to the last undo, Unix seconds: None for what did not happen or was not recorded. Settings do not count."""
    injected, undone = injections.span(events)
    return injected.at if injected else None, undone.at if undone else None


def subject(alert: AlertSpan) -> str:
    """What an alert is about: its objective, else its component."""
    return alert.labels.get("slo") or alert.labels.get("component") or ""


def _load(plan: Plan) -> Iterator[TimelineRow]:
    if not plan.drill:
        return
    for phase in plan.phases:
        if phase.end > phase.start:
            told = _SHAM_PHASES.get(phase.name) if plan.sham else None
            yield TimelineRow(plan.t0 + phase.start, "load", told or _PHASES.get(phase.name, f"phase {phase.name} begins"), plans.FILE)
    yield TimelineRow(plan.t0 + plan.duration, "load", "the load ends", plans.FILE)


def _changes(changes: Sequence[Change]) -> Iterator[TimelineRow]:
    for change in changes:
        told = f"{change.by} sets the {change.kind} `{change.subject}` from {change.old} to {change.new}"
        yield TimelineRow(change.at, "change", told, CHANGES)


def _chaos(events: Sequence[Event]) -> Iterator[TimelineRow]:
    for event in events:
        if event.event in _CHAOS:
            told = "the steps are taken back" if event.event == "undone" and event.detail.get("sham") else _CHAOS[event.event]
            yield TimelineRow(event.at, "chaos", f"{told}{_target(event)}", tables.EVENTS)


def _target(event: Event) -> str:
    if not event.fault:
        return ""
    targets = event.components or tuple(filter(None, [event.detail.get("parameters", {}).get("name")]))
    return f": `{event.fault}`{' on ' if targets else ''}{', '.join(f'`{target}`' for target in targets)}"


def _alerts(alerts: Sequence[AlertSpan]) -> Iterator[TimelineRow]:
    for alert in alerts:
        about = subject(alert)
        told = f"`{alert.name}`{f' for `{about}`' if about else ''} ({alert.labels.get('severity', 'no severity')})"
        yield TimelineRow(alert.fired_at, "alert", f"{told} fires", tables.ALERTS)
        if alert.resolved_at is not None:
            yield TimelineRow(alert.resolved_at, "alert", f"{told} resolves", tables.ALERTS)


def _recovery(fault: tuple[float | None, float | None], clocks: Clocks) -> Iterator[TimelineRow]:
    injected_at, undone_at = fault
    if injected_at is not None and clocks.time_to_absorb_s is not None:
        absorbed_at = injected_at + clocks.time_to_absorb_s
        yield TimelineRow(absorbed_at, "recovery", "service is good although the fault is still in force", tables.OPERATIONS)
    if undone_at is not None and clocks.recovery_after_undo_s is not None:
        yield TimelineRow(
            undone_at + clocks.recovery_after_undo_s,
            "recovery",
            "service is good again after the undo, for 15 s at least",
            tables.OPERATIONS,
        )
    if undone_at is not None and clocks.drained_after_undo_s is not None:
        drained_at = undone_at + clocks.drained_after_undo_s
        yield TimelineRow(drained_at, "recovery", "queues are as before and replicas have caught up", tables.SERIES)
