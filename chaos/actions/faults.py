"""Applying faults and taking them back."""

from __future__ import annotations

import time
from typing import Any

from chaoslib.exceptions import ActivityFailed

from chaos import events, reaper, session, undo
from chaos.faults.base import NotApplicableError
from chaos.faults.process import KillAndHold
from chaos.session import NoSessionError, NotAllowedError, Session
from reference_app.kit.home import Home

__all__ = ["kill_and_hold", "undo_all"]


def kill_and_hold(component: str, configuration: dict[str, Any] | None = None) -> str:
    """Kill -9 the component and keep it down until the undo. Without effect under `inject: false`."""
    home = Home.from_environment()
    run = session.current(home)
    fault = KillAndHold(component)
    if not _injecting(run, configuration or {}):
        events.write(run.run_dir, "inject_skipped", clock=time.time, fault=fault.kind, components=fault.components)
        return f"skipped: {component} was left alone"
    _require_its_moment(run)
    try:
        reaper.ensure(home)
        undo.inject(run, fault)
    except (NotApplicableError, NotAllowedError, reaper.ReaperNotRunningError) as refused:
        raise ActivityFailed(str(refused)) from refused
    return f"{component} is down and held"


def undo_all() -> list[str]:
    """Take back whatever this run did, newest first. Another run's faults are left alone: rollbacks are played after a veto too."""
    home = Home.from_environment()
    try:
        run = session.current(home)
    except NoSessionError:
        return []
    done = undo.replay(home, by="rollback", run_id=run.run_id)
    failed = [f"{result.record.fault.kind}: {result.error}" for result in done if result.error]
    if failed:
        raise ActivityFailed(f"not undone: {'; '.join(failed)}. `failwhale chaos undo` tries again")
    return [result.record.fault.kind for result in done]


def _require_its_moment(run: Session) -> None:
    """A SIGTERM makes the toolkit fail the waiting action and go on with this one, long before the plan wants a fault."""
    plan = run.plan()
    if plan is None:
        return
    load_second = time.time() - plan.t0
    if not plan.inject_at <= load_second < plan.undo_at:
        raise ActivityFailed(
            f"load second {load_second:.1f} is outside of the fault's time, {plan.inject_at:g} to {plan.undo_at:g}: nothing was injected"
        )


def _injecting(run: Session, configuration: dict[str, Any]) -> bool:
    """False when the plan or the experiment's configuration asks for a rehearsal; `--var inject=false` arrives as a string."""
    plan = run.plan()
    wanted = str(configuration.get("inject", True)).lower() not in ("false", "0", "no")
    return wanted and (plan is None or plan.inject)
