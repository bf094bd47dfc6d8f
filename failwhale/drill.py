"""A drill: load, fault, audit, verdict and postmortem on one clock, as a list of named steps over one Run value.

`ACT` may be interrupted at any moment; `CONCLUDE` undoes first and always leaves a record.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from chaos import events, processes, reaper, session, switches, toolkit, undo
from chaos.audit import witness
from chaos.audit.run import audit as audit_run
from chaos.audit.run import write as write_audit
from chaos.audit.witness import Witness
from chaos.faults.base import NotApplicableError
from chaos.holder import Holder
from chaos.targets import BadTargetError
from chaos.watch import Watch
from failwhale import lifecycle, outcome, planning, population
from failwhale.outcome import Outcome
from failwhale.planning import DrillError, SkippedError
from failwhale.run import Run, Say
from loadgen import history, recording, runner
from postmortems import evidence, store
from reference_app.contract import plan as plans
from reference_app.kit import files
from reference_app.kit.home import Home
from reference_app.query.prometheus import PrometheusUnreachableError
from reference_app.stack.errors import StackError

TOOLKIT_SECONDS, QUIET_SECONDS, DRAW_SECONDS = 25.0, 45.0, 1.0
SETTLE_SECONDS, INTERRUPTED_SETTLE_SECONDS = 15.0, 3.0
"""Reconciliation may take 10 s after a shard returned; an interrupted run does not wait for it."""


class Step(NamedTuple):
    """A named part of a drill."""

    name: str
    do: Callable[[Run], None]


def perform(run: Run, *, hold_interrupts: Callable[[], None]) -> Outcome:
    """All steps. An interrupt or an error ends ACT; then everything is put back, and what has a plan gets its record.

    Raises KeyboardInterrupt when it was interrupted before there was anything to record, and the errors in ERRORS.
    """
    try:
        try:
            _each(run, ACT)
        except SkippedError as skipped:
            return _skipped(run, str(skipped))
        except KeyboardInterrupt:
            run.interrupted = True
            run.say("interrupted: undoing, then keeping the record")
        finally:
            hold_interrupts()
            _put_back(run)
        if run.plan is None:
            raise KeyboardInterrupt
        _each(run, CONCLUDE)
    finally:
        if run.holder is not None:
            run.holder.release()
    assert run.outcome is not None  # noqa: S101 - set by CONCLUDE
    return run.outcome


def _skipped(run: Run, reason: str) -> Outcome:
    assert run.experiment is not None  # noqa: S101 - whoever skips has read it
    topology = planning.laid_out(run.home, run.wish).topology
    return outcome.skipped(run.experiment, run_id=run.run_id, seed=run.wish.seed, topology=topology, reason=reason, began=run.began)


def _each(run: Run, steps: tuple[Step, ...]) -> None:
    for step in steps:
        run.say(f"{time.time() - run.began:6.1f} s  {step.name}")
        step.do(run)


def _check_wish(run: Run) -> None:
    run.experiment = planning.checked(run.home, run.wish)


def _check_lab(run: Run) -> None:
    """Also whether it is free: starting the lab, which comes next, would repair what another run broke."""
    assert run.experiment is not None  # noqa: S101 - set by the step before
    planning.check_lab(run.home, run.wish, run.experiment)
    planning.require_free(run.home, now=time.time())


def _start_lab(run: Run) -> None:
    lifecycle.up(run.home, run.say, replay_undo=lambda home: _replay(home, run.say), topology=run.wish.topology)


def _seed(run: Run) -> None:
    population.ensure(run.home, run.wish.graph, directed=run.wish.directed, number=run.wish.seed, say=run.say)


def _await_quiet(run: Run) -> None:
    """An alert of the drill before would be blamed on this one."""
    deadline = time.monotonic() + QUIET_SECONDS
    while active := run.prometheus.active_alerts():
        if time.monotonic() >= deadline:
            names = ", ".join(sorted({f"{a.name} ({a.labels.get('component', a.labels.get('slo', ''))})" for a in active}))
            raise DrillError(f"alerts are firing before the drill began: {names}. Look at `failwhale status`, then try again")
        time.sleep(0.5)


def _hold_lease(run: Run) -> None:
    run.holder = Holder(run.home.chaos, run.run_id).hold()
    if left := undo.leftovers(run.home):
        raise DrillError(left)
    try:
        reaper.ensure(run.home)
    except reaper.ReaperNotRunningError as error:
        raise DrillError(str(error)) from error


def _write_plan(run: Run) -> None:
    assert run.experiment is not None  # noqa: S101 - set by the first step
    plan = planning.plan(run.home, run.home.lab(), run.wish, run.experiment, run_id=run.run_id)
    files.write_json(run.run_dir / plans.FILE, plan, durable=True)
    run.plan = plan


def _set_deciders(run: Run) -> None:
    assert run.experiment is not None  # noqa: S101 - set by the first step
    try:
        switches.set_for_the_run(session.Session(run.home, run.run_id), run.experiment.extension.deciders)
    except (NotApplicableError, session.NotAllowedError) as error:
        raise DrillError(str(error)) from error


def _start_load(run: Run) -> None:
    run.generator = runner.start(run.home, run.run_dir, leased=True)
    processes.register(run.home.chaos, run.run_id, pid=run.generator.pid, role="load")


def _call_witness(run: Run) -> None:
    run.witness = Witness(run.home.lab(), run.run_dir)
    run.witness.start()


def _start_chaos(run: Run) -> None:
    assert run.experiment is not None  # noqa: S101 - set by the first step
    run.toolkit = toolkit.start(session.Session(run.home, run.run_id), run.experiment.path, inject=run.wish.inject)


def _set_guards(run: Run) -> None:
    assert run.experiment is not None and run.toolkit is not None  # noqa: S101, PT018 - set by the steps before
    toolkit = run.toolkit
    run.watch = Watch(session.Session(run.home, run.run_id), run.experiment.extension, runner_gone=lambda: toolkit.poll() is not None)
    run.watch.start()


def _watch(run: Run) -> None:
    assert run.generator is not None  # noqa: S101 - started by a step before
    while (code := run.generator.poll()) is None:
        run.draw(run)
        _heed(run)
        time.sleep(DRAW_SECONDS)
    if code:
        reason = runner.ending(run.generator, run.run_dir)
        events.write_if_possible(run.run_dir, "guard_tripped", clock=time.time, guard="load_gone", reason=reason)
        _end_early(run, reason)


def _heed(run: Run) -> None:
    """Guards and the lease. Raises KeyboardInterrupt when the run must end now."""
    assert run.holder is not None and run.watch is not None  # noqa: S101, PT018 - set by the steps before
    if reason := run.watch.reason:
        _end_early(run, reason)
    if run.holder.lost:
        _end_early(run, "the lease lapsed while this process did not run: the reaper has undone the fault")


def _end_early(run: Run, reason: str) -> None:
    run.say(reason)
    raise KeyboardInterrupt


def _await_toolkit(run: Run) -> None:
    assert run.toolkit is not None  # noqa: S101 - started by a step before
    deadline = time.monotonic() + TOOLKIT_SECONDS
    while run.toolkit.poll() is None:
        if time.monotonic() >= deadline:
            run.say(f"the toolkit did not end within {TOOLKIT_SECONDS:g} s of the load: it is ended")
            return
        _heed(run)
        time.sleep(DRAW_SECONDS)


def _put_back(run: Run) -> None:
    """Undo first; then end what this run started; then undo what a toolkit did that was just about to inject. Safe at any moment.

    A toolkit that hangs while it applies a fault keeps everybody from undoing: then what this run started is ended first.
    """
    if run.holder is not None:  # else nothing is of this run: one that began in the same second, with the same id, may hold the lab
        if undo.stuck(run.home, undo.STUCK_SECONDS):
            _end_processes(run)
        _undo(run)
        _end_processes(run)
        _undo(run)
    if run.generator is not None:
        run.generator.stop()
    if run.witness is not None:
        run.witness.stop()
    if run.watch is not None:
        run.watch.stop()
    if run.holder is not None:  # else another run may hold the lab, whose processes these are
        processes.clear(run.home.chaos)


def _end_processes(run: Run) -> None:
    processes.end([process for process in processes.registered(run.home.chaos) if process.run_id == run.run_id])


def _undo(run: Run) -> None:
    for undone in undo.replay(run.home, by="drill", run_id=run.run_id):
        run.say(f"undid {undone.record.fault.kind}" if not undone.error else f"could not undo {undone.record.fault.kind}: {undone.error}")


def _audit(run: Run) -> None:
    path = run.run_dir / history.FILE
    settle = INTERRUPTED_SETTLE_SECONDS if run.interrupted else SETTLE_SECONDS
    run.audit = audit_run(run.home.lab(), path, witnessed=witness.read(run.run_dir), settle_s=settle)
    write_audit(run.run_dir, run.audit)


def _report_load(run: Run) -> None:
    run.report = recording.report_of(run.run_dir)


def _judge(run: Run) -> None:
    assert run.plan is not None and run.experiment is not None  # noqa: S101, PT018 - CONCLUDE runs only with a plan
    run.outcome = outcome.conclude(
        run.home, run.plan, run.experiment, load=run.report, audit=run.audit, interrupted=run.interrupted, began=run.began
    )
    outcome.write(run.run_dir, run.outcome)


def _draft(run: Run) -> None:
    assert run.outcome is not None  # noqa: S101 - set by the step before
    try:
        draft = store.draft(run.home, run.run_id, prometheus=run.prometheus)
        run.outcome = outcome.diagnosed(run.outcome, draft.snapshot_dir)
    except (OSError, evidence.NoRunError, evidence.NoSnapshotError) as error:
        run.say(f"no postmortem could be drafted: {error}")
        run.outcome = outcome.without_postmortem(run.outcome)
    else:
        if draft.message:
            run.say(draft.message)
    outcome.write(run.run_dir, run.outcome)


def _replay(home: Home, say: Say) -> None:
    for undone in undo.replay_leftovers(home, by="drill"):
        fault = f"{undone.record.fault.kind} of run {undone.record.run_id}"
        say(f"could not undo {fault} yet: {undone.error}" if undone.error else f"undid {fault}, which was interrupted")


ACT = (
    Step("checking the experiment", _check_wish),
    Step("checking that lab and machine have what it needs", _check_lab),
    Step("starting the lab", _start_lab),
    Step("seeding users", _seed),
    Step("waiting until no alert is active", _await_quiet),
    Step("taking the lease", _hold_lease),
    Step("writing the plan", _write_plan),
    Step("setting deciders", _set_deciders),
    Step("starting the load", _start_load),
    Step("calling the witness", _call_witness),
    Step("starting the experiment", _start_chaos),
    Step("setting guards", _set_guards),
    Step("watching", _watch),
    Step("waiting for the experiment to end", _await_toolkit),
)
CONCLUDE = (
    Step("auditing every acknowledged post", _audit),
    Step("reading the load's history", _report_load),
    Step("judging", _judge),
    Step("drafting the postmortem", _draft),
)
ERRORS = (DrillError, StackError, PrometheusUnreachableError, BadTargetError)
