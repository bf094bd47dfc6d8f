"""Waiting on the drill's clock."""

from __future__ import annotations

import time

from chaoslib.exceptions import ActivityFailed

from chaos import events, session
from chaos.session import Session
from reference_app.contract.plan import Plan
from reference_app.kit.home import Home

__all__ = ["hold_fault", "wait_until_injection"]

STEP_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 900.0


def wait_until_injection() -> str:
    """Wait for the plan's injection moment; return at once without a plan. Fails when chaos is halted or the lease lapses."""
    run = session.current(Home.from_environment())
    plan = run.plan()
    if plan is None:
        return "no plan: injecting now"
    moment = plan.t0 + plan.inject_at
    if moment - time.time() > LONGEST_WAIT_SECONDS:
        raise ActivityFailed(f"the plan of {run.run_id} injects in more than {LONGEST_WAIT_SECONDS:g} s: its t0 is wrong")
    stopped = _wait_until(run, moment)
    if stopped:
        raise ActivityFailed(stopped)
    return f"load second {plan.inject_at:g}"


def hold_fault(seconds: float = 8.0) -> str:
    """Leave the fault in force: until the plan's undo moment, or for `seconds` without a plan. Ends early when chaos is halted or the lease lapses."""
    run = session.current(Home.from_environment())
    plan = run.plan()
    stopped = _wait_until(run, _end_of_fault(run, plan, seconds))
    if stopped:
        events.write(run.run_dir, "halted", clock=time.time, reason=stopped)
    return stopped or "held to the end"


def _end_of_fault(run: Session, plan: Plan | None, seconds: float) -> float:
    if plan is not None:
        return min(plan.t0 + plan.undo_at, time.time() + LONGEST_WAIT_SECONDS)
    injected = events.first(events.read(run.run_dir), "injected")
    return time.time() + seconds if injected else time.time()


def _wait_until(run: Session, moment: float) -> str:
    """Empty when the moment came, else why it was not waited for."""
    while (remaining := moment - time.time()) > 0:
        why_not = run.why_not(now=time.time())
        if why_not:
            return why_not
        time.sleep(min(STEP_SECONDS, remaining))
    return ""
