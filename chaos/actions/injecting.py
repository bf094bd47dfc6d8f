"""How an action applies its fault: within its run, at the moment of its plan, and only while somebody stands by to take it back."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from chaoslib.exceptions import ActivityFailed

from chaos import events, reaper, session, undo
from chaos.faults.base import NotApplicableError
from chaos.faults.families import AnyFault
from chaos.session import NotAllowedError, Session
from reference_app.kit.home import Home


def injected(fault: AnyFault, configuration: dict[str, Any] | None) -> str:
    """Apply it within the run that this process belongs to. Raises ActivityFailed when it must not, or cannot, be applied."""
    home = Home.from_environment()
    run, hit = session.current(home), ", ".join(fault.components)
    if not _injecting(run, configuration or {}):
        events.write(run.run_dir, "inject_skipped", clock=time.time, fault=fault.kind, components=fault.components)
        return f"skipped: {hit} was left alone"
    _require_its_moment(run)
    if sham := _sham(run):
        fault = msgspec.structs.replace(fault, sham=True)
    try:
        reaper.ensure(home)
        undo.inject(run, fault)
    except (NotApplicableError, NotAllowedError, reaper.ReaperNotRunningError) as refused:
        raise ActivityFailed(str(refused)) from refused
    return f"{'sham of ' if sham else ''}{fault.kind}: {hit}"


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


def _sham(run: Session) -> bool:
    plan = run.plan()
    return plan is not None and plan.sham
