"""The verdict of a drill, from recorded evidence and never from an exit code. Pure.

The first rule that applies decides; the order is the precedence:

skipped            the run was vetoed: halted, no lab, another run holds it
interrupted        somebody or the reaper ended it early
error              the toolkit or an undo failed: nothing can be said, or the fault may still be in force
not-injected       a rehearsal, or the fault was never applied
baseline-not-met   (the toolkit's own hypothesis was not met before the method, so it injected nothing)
deviated           acknowledged data is lost or doubled: a violation that was found needs no valid load to count
inconclusive       the load is missing or invalid
baseline-not-met   the phase `before` does not meet the bounds by itself
inconclusive       unproven: audit, method, 20 operations that the fault reached, that it came in time and lasted; of a sham, that no alert fired
deviated           the hypothesis does not hold in the fault phase, or 30 s after it
inconclusive       it holds, and a person took the fault back before its end
passed             it holds

A sham has every step of its drill and no effect: it is judged by `UNHARMED`, and need not have reached traffic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from chaos import aftermath, clocks, events
from chaos.alertscore import Score
from chaos.audit.model import Audit
from chaos.catalogue import Hypothesis, Verdict
from chaos.events import Event
from chaos.journal import Journal
from loadgen.report import PhaseReport, Report
from reference_app.contract.plan import Plan

REACHED_TRAFFIC = 20
"""Caller-side operations that a fault must affect before its absence of harm proves anything."""
LATE_SHARE = 0.1
"""Of its phase: a fault that comes later was not in force for long enough."""
BEFORE, FAULT = "before", "fault"
UNHARMED = Hypothesis(goodput_ratio=0.9, completeness=0.95, post_acknowledgement=0.99)
"""Bounds of a run in which nothing is broken."""


@dataclass(frozen=True)
class Evidence:
    """What a drill recorded. None means that the part did not run, `skipped` says why nothing did; operations are counted by kind of fault."""

    plan: Plan
    hypothesis: Hypothesis
    events: tuple[Event, ...] = ()
    journal: Journal | None = None
    load: Report | None = None
    affected_operations: Mapping[str, int] | None = None
    audit: Audit | None = None
    alerts: Score | None = None
    interrupted: bool = False
    skipped: str = ""

    @property
    def bounds(self) -> Hypothesis:
        return UNHARMED if self.plan.sham else self.hypothesis

    @property
    def what(self) -> str:
        """What to call that which was done to the lab."""
        return "sham" if self.plan.sham else "fault"


@dataclass(frozen=True)
class Judgement:
    """`reasons` are sentences: why this verdict, then what else is worth knowing."""

    verdict: Verdict
    reasons: tuple[str, ...]


def judge(evidence: Evidence) -> Judgement:
    """Apply the rules in the order of the module's docstring."""
    remarks = tuple(_remarks(evidence))
    for verdict, rule in _RULES:
        reasons = tuple(rule(evidence))
        if reasons:
            return Judgement(verdict, reasons + tuple(r for r in remarks if r not in reasons))
    return Judgement("passed", (*_met(evidence), *remarks))


def _skipped(evidence: Evidence) -> Iterator[str]:
    if evidence.skipped:
        yield evidence.skipped
    for event in _all(evidence, "run_vetoed"):
        yield f"The run was refused: {event.detail.get('reason', 'no reason recorded')}."


def _interrupted(evidence: Evidence) -> Iterator[str]:
    for event in _all(evidence, "guard_tripped"):
        yield f"The guard {event.detail['guard']} ended the drill: {event.detail['reason']}."
    if evidence.interrupted:
        yield "The drill was interrupted before its end."
    for event in _all(evidence, "halted"):
        yield f"The {evidence.what} was ended early: {event.detail.get('reason', 'no reason recorded')}."
    if events.first(evidence.events, "lease_lapsed"):
        yield f"The lease of the run lapsed, so the reaper undid the {evidence.what}."
    if evidence.journal is not None and evidence.journal.status == "interrupted":
        yield "The toolkit was interrupted."


def _error(evidence: Evidence) -> Iterator[str]:
    if evidence.journal is None:
        yield "The toolkit left no journal: it crashed or was killed (see chaos/console.log in the run directory)."
    elif evidence.journal.status in ("failed", "aborted"):
        yield f"The toolkit ended with status {evidence.journal.status}."
    yield from _in_force(evidence)


def _in_force(evidence: Evidence) -> Iterator[str]:
    in_force = len(_all(evidence, "undo_written")) - len(_all(evidence, "undone"))
    if in_force > 0:
        failed = events.last(evidence.events, "undo_failed")
        why = f": {failed.detail.get('error')}" if failed else ""
        yield f"{in_force} change(s) to the lab were not undone{why}. Run `failwhale chaos undo`."


def _rehearsal(evidence: Evidence) -> Iterator[str]:
    if not evidence.plan.inject:
        yield "Nothing was injected, as asked: this run is the comparison without a fault."


def _toolkit_baseline(evidence: Evidence) -> Iterator[str]:
    before = evidence.journal.steady_states.before if evidence.journal else None
    if before is not None and before.steady_state_met is False:
        missed = ", ".join(step.activity.name for step in before.probes if not step.tolerance_met)
        yield f"The steady state was not met before the {evidence.what} ({missed}), so nothing was injected."


def _not_injected(evidence: Evidence) -> Iterator[str]:
    if events.first(evidence.events, "sham_applied" if evidence.plan.sham else "injected") is None:
        failures = "; ".join(evidence.journal.failures) if evidence.journal else ""
        yield f"The {evidence.what} was never applied{': ' + failures if failures else ''}."


def _violations(evidence: Evidence) -> Iterator[str]:
    for finding, count in (evidence.audit.violations if evidence.audit else {}).items():
        yield f"The audit found {count} {finding.replace('_', ' ')}."


def _load_unusable(evidence: Evidence) -> Iterator[str]:
    if evidence.load is None:
        yield "There is no load report, so nothing is known of what clients saw."
    elif not evidence.load.load.valid:
        yield f"The load is invalid: {'; '.join(evidence.load.load.invalid_reasons)}."


def _baseline(evidence: Evidence) -> Iterator[str]:
    before, bounds, when = _phase(evidence, BEFORE), evidence.bounds, f"Before the {evidence.what}"
    yield from _below(f"{when} the share of home pages that were served", _served(before), bounds.when_well)
    yield from _shares_below(when, before, bounds)


def _unproven(evidence: Evidence) -> Iterator[str]:
    if evidence.audit is None:
        yield "There is no audit, so nothing is known of acknowledged posts."
    elif not evidence.audit.complete:
        yield f"The audit is incomplete: {'; '.join(evidence.audit.reasons) or 'no reason recorded'}."
    if failures := evidence.journal.failures if evidence.journal else ():
        yield f"Not every step of the method was done: {'; '.join(failures)}."
    if not evidence.plan.sham:
        yield from _reach_unproven(evidence)
    elif evidence.alerts is None:
        yield "It is not known whether an alert fired."


def _reach_unproven(evidence: Evidence) -> Iterator[str]:
    plan, applied = evidence.plan, events.first(evidence.events, "injected")
    if applied and (late := applied.at - plan.t0 - plan.inject_at) > LATE_SHARE * (plan.undo_at - plan.inject_at):
        yield f"The fault was applied {late:.1f} s late, so it was in force for a part of its phase only."
    for undone in _all(evidence, "undone"):
        if undone.detail.get("lapsed"):
            yield f"The fault {undone.fault} ({', '.join(undone.components)}) was gone before it was taken back: something else had ended it."
    if evidence.affected_operations is None:
        yield "It is not known whether the fault reached traffic."
    for kind, operations in (evidence.affected_operations or {}).items():
        if operations < REACHED_TRAFFIC:
            yield f"The fault {kind} affected {operations} operations, fewer than {REACHED_TRAFFIC}: no harm proves nothing."


def _hypothesis(evidence: Evidence) -> Iterator[str]:
    when = f"During the {evidence.what}"
    yield from _below(f"{when} goodput, relative to before,", _goodput_ratio(evidence), evidence.bounds.goodput_ratio)
    yield from _shares_below(when, _phase(evidence, FAULT), evidence.bounds)
    if (bound := evidence.bounds.after_goodput_ratio) is not None:
        yield from _below(
            f"From {aftermath.FROM_S:g} s after the {evidence.what} on goodput, relative to before,", _afterwards(evidence), bound
        )


def _mitigated(evidence: Evidence) -> Iterator[str]:
    """What held only because somebody helped proves nothing; what did not hold in spite of it does."""
    end = evidence.plan.t0 + evidence.plan.undo_at
    for undone in _all(evidence, "undone"):
        if undone.detail.get("by") in clocks.BY_A_PERSON and undone.at < end:
            yield f"The fault {undone.fault} was taken back by hand {end - undone.at:.0f} s before its end."


def _met(evidence: Evidence) -> tuple[str, ...]:
    fault = _phase(evidence, FAULT)
    goodput, complete = _percent(_goodput_ratio(evidence)), _percent(_completeness(fault))
    acknowledged = _percent(_share(fault.post.ok, fault.post.sent))
    seen = f"goodput {goodput} of before, {complete} of home pages complete, {acknowledged} of posts acknowledged"
    if evidence.plan.sham:
        return (f"Users met no harm during the sham, of which every step was taken without effect: {seen}.",)
    return (
        f"The hypothesis held during the fault: {seen}.",
        *_came_back(evidence),
        *(f"The fault {kind} affected {operations} operations." for kind, operations in (evidence.affected_operations or {}).items()),
    )


def _came_back(evidence: Evidence) -> Iterator[str]:
    if evidence.bounds.after_goodput_ratio is not None:
        yield f"From {aftermath.FROM_S:g} s after it on goodput was {_percent(_afterwards(evidence))} of before."


def _remarks(evidence: Evidence) -> Iterator[str]:
    """Worth saying whatever the verdict: alerts are scored beside it, and do not change it."""
    yield from _in_force(evidence)
    yield from _violations(evidence)
    for failure in evidence.journal.rollback_failures if evidence.journal else ():
        yield f"A rollback failed: {failure}."
    if evidence.alerts is not None:
        for missed in evidence.alerts.missed:
            yield f"The alert {missed.name} ({missed.slo or missed.component or 'any'}, {missed.severity}) was expected and did not fire."
        for false in evidence.alerts.false_positives:
            yield f"The alert {false.name} ({false.slo or false.component or 'no component'}, {false.severity}) fired and was not expected."


_RULES: tuple[tuple[Verdict, Callable[[Evidence], Iterator[str]]], ...] = (
    ("skipped", _skipped),
    ("interrupted", _interrupted),
    ("error", _error),
    ("not-injected", _rehearsal),
    ("baseline-not-met", _toolkit_baseline),
    ("not-injected", _not_injected),
    ("deviated", _violations),
    ("inconclusive", _load_unusable),
    ("baseline-not-met", _baseline),
    ("inconclusive", _unproven),
    ("deviated", _hypothesis),
    ("inconclusive", _mitigated),
)


def _shares_below(when: str, phase: PhaseReport, bounds: Hypothesis) -> Iterator[str]:
    yield from _below(f"{when} the share of complete home pages", _completeness(phase), bounds.completeness)
    acknowledged = _share(phase.post.ok, phase.post.sent)
    yield from _below(f"{when} the share of posts that were acknowledged", acknowledged, bounds.post_acknowledgement)


def _below(what: str, value: float | None, bound: float) -> Iterator[str]:
    if bound and value is None:
        yield f"{what} is unknown: there was nothing to count."
    elif value is not None and value < bound:
        yield f"{what} was {_percent(value)}, below {_percent(bound)}."


def _goodput_ratio(evidence: Evidence) -> float | None:
    """Share of the home pages that users wanted and got, over that of before: an open loop may want more during the fault."""
    before, fault = (_served(_phase(evidence, name)) for name in (BEFORE, FAULT))
    return fault / before if before and fault is not None else None


def _served(phase: PhaseReport) -> float | None:
    """Whoever gets his page at the second attempt has got it, and whoever gets none has missed one, however often he asked."""
    return _share(phase.home_intents.served, phase.home_intents.wanted)


def _afterwards(evidence: Evidence) -> float | None:
    return aftermath.goodput_ratio(evidence.load.series, evidence.plan) if evidence.load else None


def _completeness(phase: PhaseReport) -> float | None:
    return _share(phase.pages_complete, phase.pages_complete + phase.pages_partial)


def _phase(evidence: Evidence, name: str) -> PhaseReport:
    if evidence.load is None:
        raise ValueError("rules on the load come after the rule that there is one")
    return evidence.load.load.phases[name]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.2%}"


def _all(evidence: Evidence, name: events.Name) -> list[Event]:
    return [event for event in evidence.events if event.event == name]
