"""May the measurements be believed? A generator that was late, starved or cut short measured itself, not the service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from loadgen.facts import Facts
from loadgen.history import Operation
from reference_app.contract.plan import Plan

LAG_P99_MAX_MS = 20.0
CPU_MAX = 0.80
SENT_MIN = 0.99
ANSWERED_MIN = 0.5
"""Share of the requests before the fault that must get an answer of any kind."""
WAIT_WORTH_TELLING = 0.1
CLOCK_STEP_MAX_S = 0.5
"""NTP slews a clock by 0.5 ms a second at most: 80 ms in a drill. More was a step, or the machine slept."""

BEFORE_THE_FAULT = ("warmup", "baseline", "ramp", "before")
_BY_HAND = "the load was stopped by hand"
_STOPPED = {
    "interrupt": _BY_HAND + " at load second {at:.1f} of {end:.0f}",
    "lease": "the lease of the run lapsed at load second {at:.1f} of {end:.0f}, so the load stopped",
}


def reasons(plan: Plan, facts: Facts | None, operations: Sequence[Operation]) -> list[str]:
    """Why the run is invalid, in words; empty when it is valid."""
    if facts is None:
        return ["not every process of the generator lived to write what it knows of itself: see load/locust.log in the run directory"]
    return [
        *_cut_short(plan, facts),
        *_not_as_planned(facts),
        *_unwritten(facts, operations),
        *_starved(facts),
        *_stepped(facts),
        *_exhausted(operations),
        *_unreachable(plan, operations),
    ]


def spoiled(reasons: Iterable[str]) -> bool:
    """Whether something makes the run invalid beside its having been stopped, which whoever ends a drill does to its load."""
    return any(not reason.startswith(_BY_HAND) for reason in reasons)


def _cut_short(plan: Plan, facts: Facts) -> Iterator[str]:
    if facts.stopped_by in _STOPPED:
        yield _STOPPED[facts.stopped_by].format(at=facts.stopped_at, end=plan.duration)


def _not_as_planned(facts: Facts) -> Iterator[str]:
    if facts.dropped:
        yield (
            f"{facts.dropped} requests were dropped because too many were outstanding, or could not be written down (see load/locust.log): "
            "the tail would be flattered"
        )
    if facts.stopped_by == "end" and facts.sent < facts.planned * SENT_MIN:
        yield f"only {facts.sent} of {facts.planned} planned requests were sent"


def _unwritten(facts: Facts, operations: Sequence[Operation]) -> Iterator[str]:
    left = facts.sent + facts.retried + facts.replayed
    if len(operations) < left:
        yield f"the history holds {len(operations)} of {left} requests that left: what became of the others is not known"


def _starved(facts: Facts) -> Iterator[str]:
    if facts.lag_p99_ms is None:
        yield "nothing was sent in a recorded phase, so there is no lag to judge the generator by"
    elif facts.lag_p99_ms > LAG_P99_MAX_MS:
        yield f"requests left late: lag p99 {facts.lag_p99_ms:.1f} ms, allowed {LAG_P99_MAX_MS:.0f} ms{_waited(facts)}"
    if facts.cpu_peak is not None and facts.cpu_peak > CPU_MAX:
        yield f"the generator used {facts.cpu_peak:.0%} of a core over 5 s, allowed {CPU_MAX:.0%}"
    if facts.stalls:
        yield f"the generator's event loop stood still {facts.stalls} times, longest {facts.longest_stall_ms:.0f} ms{_paused(facts)}"


def _waited(facts: Facts) -> str:
    """The cause, where a quota or a crowd kept the generator from its core."""
    share = facts.cpu_wait_peak or 0.0
    return f"; the generator was ready and not let run for {share:.0%} of 5 s" if share > WAIT_WORTH_TELLING else ""


def _paused(facts: Facts) -> str:
    return f"; in {facts.pauses} of them the whole process did not run, as when it is paused or starved" if facts.pauses else ""


def _stepped(facts: Facts) -> Iterator[str]:
    if abs(facts.clock_step_s) > CLOCK_STEP_MAX_S:
        yield (
            f"the wall clock was stepped by {facts.clock_step_s:+.1f} s during the load: its times are not those of the lab, "
            f"allowed {CLOCK_STEP_MAX_S:g} s"
        )


def _exhausted(operations: Sequence[Operation]) -> Iterator[str]:
    if unsent := sum(operation.error == "exhausted" for operation in operations):
        yield f"{unsent} requests could not be sent because this machine had no file descriptor or port left for them"


def _unreachable(plan: Plan, operations: Sequence[Operation]) -> Iterator[str]:
    first_disturbed = min((p.end for p in plan.phases if p.name == BEFORE_THE_FAULT[-1]), default=plan.duration)
    early = [operation for operation in operations if operation.due < first_disturbed]
    answered = sum(1 for operation in early if operation.status)
    if early and answered < len(early) * ANSWERED_MIN:
        yield f"the target was unreachable: {answered} of {len(early)} requests before the fault got an answer"
