"""`failwhale chaos list / run / status / undo / halt / resume`."""

from __future__ import annotations

import subprocess
import time
from typing import Annotated

import typer
from rich.table import Table

from chaos import catalogue, events, halt, holder, journal, session, status, toolkit, undo
from chaos.catalogue import Experiment
from chaos.events import Event
from chaos.journal import Journal
from chaos.session import Session
from chaos.watch import Watch
from failwhale.commands import terminal
from reference_app.kit.home import Home

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
USAGE, INTERRUPTED = 2, 130
END_SECONDS, POLL_SECONDS = 20.0, 0.2


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(no_args_is_help=True, help="Faults by hand: run an experiment without load, look, undo, forbid.")
    group.command("list")(list_experiments)
    group.command("run")(run)
    group.command("status")(show_status)
    group.command("undo")(undo_now)
    group.command("halt")(halt_now)
    group.command("resume")(resume)
    app.add_typer(group, name="chaos")


def list_experiments() -> None:
    """The experiments there are, and what each is expected to show."""
    table = Table("name", "fault", "expected", title="Experiments")
    for experiment in _experiments():
        truth = experiment.extension.truth
        table.add_row(experiment.name, f"{truth.fault} {', '.join(truth.components)}", experiment.extension.expected_verdict)
    terminal.show(table)


def run(
    name: Annotated[str, typer.Argument(help="An experiment of `failwhale chaos list`.")],
    *,
    fault: Annotated[bool, typer.Option("--fault/--no-fault", help="Rehearse every step without applying the fault.")] = True,
    as_json: Json = False,
) -> None:
    """Run one experiment with Chaos Toolkit, without load and without a verdict.

    Guards end it when the machine is short of memory or disk, and when the toolkit is gone and left a fault. The guards of harm and
    of lost posts belong to drills: they read the history of a drill's own load, and a fault by hand has none.

    Exit codes: 0 the steady state held and everything was undone, 1 it did not, 2 refused, 130 interrupted (undone).
    """
    (experiment,) = _experiments(name)
    home = Home.from_environment()
    home.lab()
    undo.replay_leftovers(home, by="next run")
    here = Session(home, session.new_run_id(name, now=time.time()))
    terminal.obey_interrupts()
    with holder.Holder(home.chaos, here.run_id):
        code = _supervise(here, experiment, inject=fault)
    _report(here, as_json=as_json)
    raise typer.Exit(code)


def _experiments(*names: str) -> list[Experiment]:
    """Those of these names, or all. Ends the command when one cannot be read."""
    try:
        return [catalogue.load(name) for name in names or catalogue.names()]
    except catalogue.CatalogueError as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None


def show_status(*, as_json: Json = False) -> None:
    """What is in force now. Faults that a dead run left behind are undone first."""
    home = Home.from_environment()
    _tell(undo.replay_leftovers(home, by="chaos status"))
    found = status.read(home)
    if as_json:
        terminal.emit(found)
        return
    terminal.say(f"halted: {found.reason}" if found.halted else "chaos is allowed")
    for sentence in found.unreadable:
        terminal.complain(sentence)
    for active in found.active:
        terminal.say(f"{active.fault} {', '.join(active.components)} since {time.ctime(active.since)} (run {active.run_id})")


def undo_now() -> None:
    """Take back every fault and setting, whoever runs; a run goes on without them. Exits 1 when one could not be undone."""
    home = Home.from_environment()
    if not _undone(home, by="chaos undo"):
        terminal.say("nothing to undo")


def halt_now(reason: Annotated[str, typer.Argument(help="Why; it is shown to whoever is refused.")]) -> None:
    """Undo everything now, end the run that holds the lab, and refuse every fault until `resume`. Exits 1 when something could not be undone."""
    home = Home.from_environment()
    halt.pull(home.chaos, reason, now=time.time())
    terminal.say(f"halted: {reason}")
    _undone(home, by="chaos halt")


def resume() -> None:
    """Allow chaos again."""
    halt.release(Home.from_environment().chaos)
    terminal.say("chaos is allowed")


def _undone(home: Home, *, by: str) -> bool:
    """True when there was something. Exits 1 when some of it is still there."""
    done, unreadable = undo.replay(home, by=by), undo.unreadable(home)
    _tell(done)
    for record in unreadable:
        terminal.complain(str(record))
    if unreadable or any(result.error for result in done):
        raise typer.Exit(1)
    return bool(done)


def _supervise(here: Session, experiment: Experiment, *, inject: bool) -> int:
    child = toolkit.start(here, experiment.path, inject=inject)
    terminal.say(f"run {here.run_id}: see {here.run_dir}/chaos")
    guarding = Watch(here, experiment.extension, runner_gone=lambda: child.poll() is not None)
    guarding.start()
    try:
        _await(child, guarding)
    except KeyboardInterrupt:
        _tell(undo.replay(here.home, by="interrupt", run_id=here.run_id))
        toolkit.end(child, END_SECONDS)
        return INTERRUPTED
    finally:
        guarding.stop()
    return _exit_code(here, journal.read(here.run_dir))


def _await(child: subprocess.Popen[bytes], guarding: Watch) -> None:
    """Until it has ended. Raises KeyboardInterrupt when a guard ends the run."""
    while child.poll() is None or guarding.reason:
        if guarding.reason:
            terminal.complain(guarding.reason)
            raise KeyboardInterrupt
        time.sleep(POLL_SECONDS)


def _exit_code(here: Session, ended: Journal | None) -> int:
    """From the journal and the events: the toolkit exits with 0 although an injection failed."""
    recorded = events.read(here.run_dir)
    if events.first(recorded, "run_vetoed"):
        return USAGE
    before = ended.steady_states.before if ended else None
    held = ended is not None and ended.status == "completed" and not ended.deviated and not ended.failures
    undisturbed = events.first(recorded, "halted") is None and not undo.pending(here.home)
    return 0 if held and undisturbed and (before is None or before.steady_state_met) else 1


def _report(here: Session, *, as_json: bool) -> None:
    ended = journal.read(here.run_dir)
    recorded = events.read(here.run_dir)
    if as_json:
        terminal.emit(
            {"schema": "failwhale/chaos-run/v1", "run_id": here.run_id, "status": ended and ended.status,
             "deviated": ended and ended.deviated, "failures": ended.failures if ended else [], "events": recorded}
        )  # fmt: skip
        return
    for event in recorded:
        terminal.say(_line(event))
    for failure in ended.failures if ended else ():
        terminal.complain(failure)


def _line(event: Event) -> str:
    parts = (
        time.strftime("%H:%M:%S", time.localtime(event.at)),
        event.event,
        event.fault,
        ", ".join(event.components),
        str(event.detail.get("reason") or ""),
    )
    return " ".join(part for part in parts if part)


def _tell(done: list[undo.Undone]) -> None:
    for result in done:
        what = f"{result.record.fault.kind} {', '.join(result.record.fault.components)}".strip()
        terminal.say(f"could not undo {what}: {result.error}" if result.error else f"undid {what}")
