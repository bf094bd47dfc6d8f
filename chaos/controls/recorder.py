"""The control of every experiment: refuses a run that must not start, holds the lease of a plain one, records what happens.

The toolkit swallows whatever a control raises, except InterruptExecution in a before-hook. A run that got past a broken control
has no session or no lease, and then the actions refuse.
"""

from __future__ import annotations

import os
import time
from typing import Any

from chaoslib.exceptions import InterruptExecution

from chaos import catalogue, events, holder, processes, reaper, rules, session, switches, undo
from chaos.faults.base import NotApplicableError
from chaos.session import Session
from reference_app.kit import lease
from reference_app.kit.home import Home, NoLabError


def before_experiment_control(context: dict[str, Any], configuration: dict[str, Any] | None = None, **_: Any) -> None:
    """Veto, or open the run."""
    home = Home.from_environment()
    try:
        home.lab()
        extension = catalogue.extension_of(context)
        run = _open(home, extension.drill)
        _require(run, extension, context)
        reaper.ensure(home)
        if run.plan() is None:  # a drill has set them before its load began
            switches.set_for_the_run(run, extension.deciders)
    except (
        NoLabError,
        NotApplicableError,
        catalogue.InvalidExperimentError,
        lease.LeaseHeldError,
        session.NotAllowedError,
        reaper.ReaperNotRunningError,
    ) as veto:
        _note_veto(home, str(veto))
        raise InterruptExecution(str(veto)) from veto
    processes.register(home.chaos, run.run_id, pid=os.getpid(), role="chaos")
    events.write(run.run_dir, "run_started", clock=time.time, experiment=extension.drill, configuration=configuration or {})


def after_hypothesis_control(context: dict[str, Any], state: dict[str, Any] | None = None, **_: Any) -> None:
    """Record whether the steady state was met, before and after the method."""
    run = session.current(Home.from_environment())
    again = events.first(events.read(run.run_dir), "hypothesis") is not None
    asked = [(probe["activity"]["name"], probe.get("output")) for probe in (state or {}).get("probes", [])]
    events.write(
        run.run_dir, "hypothesis", clock=time.time, title=context.get("title", ""), phase="after" if again else "before",
        met=(state or {}).get("steady_state_met"), probes=dict(asked),
    )  # fmt: skip


def after_experiment_control(context: dict[str, Any], state: dict[str, Any] | None = None, **_: Any) -> None:  # noqa: ARG001
    """Record how the toolkit saw the run end."""
    run = session.current(Home.from_environment())
    ended = state or {}
    events.write(run.run_dir, "run_finished", clock=time.time, status=ended.get("status"), deviated=ended.get("deviated"))


def cleanup_control() -> None:
    """The one hook that is called after every end, crashes of the toolkit included: undo what the rollbacks did not, give the lease back.

    What a drill set for its whole run is the drill's to take back: its load goes on.
    """
    home = Home.from_environment()
    try:
        run = session.current(home)
    except session.NoSessionError:
        return
    undo.replay(home, by="end of run", run_id=run.run_id, whole_run=run.plan() is None)
    held = holder.of_this_process()
    if held is not None:
        processes.clear(home.chaos)
        held.release()


def _open(home: Home, drill: str) -> Session:
    """The drill's run, or a run of our own: then this process holds the lease until the end."""
    if os.environ.get(session.RUN_DIR_VARIABLE):
        return session.current(home)
    run = Session(home, session.new_run_id(drill, now=time.time()))
    holder.Holder(home.chaos, run.run_id).hold()
    undo.replay(home, by="next run")
    return run


def _require(run: Session, extension: catalogue.Extension, document: dict[str, Any]) -> None:
    run.require_allowed()
    if left := undo.leftovers(run.home, besides=run.run_id):
        raise session.NotAllowedError(left)
    if unfit := extension.why_not(run.home.lab()):
        raise session.NotAllowedError(unfit)
    plan, limit = run.plan(), extension.safety.longest_fault_s
    held = rules.longest_hold_s(document) if plan is None else plan.undo_at - plan.inject_at
    if held > limit:
        raise session.NotAllowedError(f"the fault would be held for {held:g} s, the experiment allows {limit:g} s")


def _note_veto(home: Home, reason: str) -> None:
    """Into the drill's events; a plain run has only the toolkit's own output."""
    if os.environ.get(session.RUN_DIR_VARIABLE):
        events.write(session.current(home).run_dir, "run_vetoed", clock=time.time, reason=reason)
