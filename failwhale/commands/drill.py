"""`failwhale drill NAME` and `failwhale demo`."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from chaos import catalogue
from chaos.audit.model import VIOLATIONS
from failwhale import drill as drills
from failwhale import dryrun, lab, lifecycle
from failwhale.commands import console, terminal, told
from failwhale.commands.lab import TopologyName
from failwhale.liveview import LiveView
from failwhale.outcome import Outcome
from failwhale.run import Run, Wish
from loadgen import plans
from reference_app.contract.plan import DRILL_SECONDS
from reference_app.kit.home import Home
from reference_app.stack.control import Control
from reference_app.stack.graphs import BadLinesError

EXPECTED, UNEXPECTED, USAGE, INTERRUPTED = 0, 1, 2, 130
ENDED_EARLY = {"interrupted": INTERRUPTED, "skipped": USAGE}
DEMO = "kill-tweet-shard-no-replica-reads"


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command()(drill)
    app.command()(demo)


def drill(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(catalogue.names())}.")],
    *,
    graph: Annotated[Path | None, typer.Option(help="Seed this edge list first (see `failwhale seed --help`).")] = None,
    directed: Annotated[bool | None, typer.Option("--directed/--undirected", help="What a pair in the edge list means.")] = None,
    fault: Annotated[bool, typer.Option("--fault/--no-fault", help="Do everything but inject: the verdict is `not-injected`.")] = True,
    sham: Annotated[bool, typer.Option("--sham", help="Take every step of the fault without effect: the verdict is `passed`.")] = False,
    seed: Annotated[int, typer.Option(help="The same number sends the same requests at the same times.")] = 1,
    phase: Annotated[
        list[str] | None, typer.Option(metavar="NAME=SECONDS", help=f"Length of one phase ({', '.join(DRILL_SECONDS)}); may be repeated.")
    ] = None,
    topology: TopologyName = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what it would do to whom, check that it can, and do nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Load, fault, alerts, audit, verdict and postmortem on one clock; about three minutes. Starts the lab if it is not up.

    Ctrl-C at any moment undoes the fault first and keeps the record. Exit codes: 0 the verdict is the one that the experiment
    predicts (`not-injected` with --no-fault, `passed` and no alert with --sham), 1 it is another, 2 usage, environment or skipped, 130 interrupted (undone).
    """
    try:
        wish = _wish(name, graph=graph, directed=directed, inject=fault, sham=sham, seed=seed, phases=phase or [], topology=topology)
        if dry_run:
            _look_ahead(wish, as_json=as_json)
        outcome = _perform(wish)
    except (*drills.ERRORS, catalogue.CatalogueError, BadLinesError, ValueError, OSError) as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:
        terminal.say("interrupted before anything was recorded; nothing is left running of this drill")
        raise typer.Exit(INTERRUPTED) from None
    terminal.emit(outcome) if as_json else summarise(outcome)
    raise typer.Exit(_exit_code(outcome))


def demo(*, topology: TopologyName = None) -> None:
    """The main job: a drill that users notice, then the lab and the console stay up. With `CI` set, everything is ended again."""
    home, in_ci = Home.from_environment(), bool(os.environ.get("CI"))
    lab.laid_out(home, os.environ, topology)  # refuses here, because a demo that fails later ends the lab that it started
    was_up = home.lab_file.exists() and Control(home).supervised()
    try:
        drill(DEMO, graph=None, directed=None, fault=True, sham=False, seed=1, phase=[], topology=topology, dry_run=False, as_json=False)
    except typer.Exit as ended:
        code = ended.exit_code
    refused = code in (USAGE, INTERRUPTED)
    if in_ci or (refused and not was_up):
        lifecycle.down(home, terminal.say)
    elif not refused:
        known = home.lab()
        url = console.start_detached(home, known.console_port)
        terminal.say(
            f"still running: app {known.entry_url}  Prometheus {known.prometheus_url}  console {url}   (`failwhale down` ends them)"
        )
    raise typer.Exit(code)


def summarise(outcome: Outcome) -> None:
    """What a person wants to know first."""
    same = "as predicted" if outcome.verdict == outcome.expected_verdict else f"predicted was {outcome.expected_verdict}"
    lines = [f"verdict     {outcome.verdict} ({same})", *(f"            {reason}" for reason in outcome.reasons)]
    if outcome.passes_with and outcome.verdict == "deviated":
        lines.append(f"            it passes with: {outcome.passes_with}")
    lines += [*_audit_lines(outcome), *_alert_lines(outcome), *_clock_lines(outcome)]
    lines += [f"postmortem  {outcome.artifacts.postmortem or 'not available'}", f"run         {outcome.run_id}"]
    for text in lines:
        typer.echo(text)


def _audit_lines(outcome: Outcome) -> list[str]:
    audit = outcome.audit
    if audit is None:
        return ["audit       not available"]
    found = ", ".join(
        f"{name.replace('_', ' ')} {'not available' if (count := getattr(audit, name)) is None else count}"
        for name in (*VIOLATIONS, "stale", "indeterminate")
    )
    whole = "complete" if audit.complete else f"incomplete ({'; '.join(audit.reasons)})"
    return [f"audit       {whole}: {audit.acknowledged:,} posts acknowledged; {found}"]


def _alert_lines(outcome: Outcome) -> list[str]:
    if outcome.alerts is None:
        return ["alerts      not available"]
    lines = [
        f"alert       {fired.severity} {fired.name} ({fired.slo or fired.component})"
        + ("" if fired.after_s is None else f" {fired.after_s:.1f} s after the injection")
        + (
            ", still firing"
            if fired.resolved_s is None
            else f", resolved after {fired.resolved_s:.1f} s"
            if fired.after_s is not None
            else ""
        )
        for fired in outcome.alerts.fired
    ]
    return lines or ["alerts      none fired"]


def _clock_lines(outcome: Outcome) -> list[str]:
    clocks = outcome.clocks
    known = {
        "detected": clocks.ttd_s, "absorbed": clocks.time_to_absorb_s, "recovered after the undo": clocks.recovery_after_undo_s,
        "drained after the undo": clocks.drained_after_undo_s,
    }  # fmt: skip
    return ["clocks      " + ", ".join(f"{name} {'not available' if value is None else f'{value:.1f} s'}" for name, value in known.items())]


def _wish(
    name: str, *, graph: Path | None, directed: bool | None, inject: bool, sham: bool, seed: int, phases: list[str], topology: str | None
) -> Wish:
    if sham and not inject:
        raise ValueError("--sham takes the steps of the fault, --no-fault leaves them out: ask for one of them")
    if graph is not None and directed is None:
        raise ValueError("say whether the graph is --directed or --undirected: the file does not tell")
    if graph is None and directed is not None:
        raise ValueError("--directed and --undirected say what a pair in an edge list means: they need --graph")
    if graph is not None and not graph.is_file():
        raise ValueError(f"there is no edge list at {graph}")
    lengths = plans.lengths(phases)
    return Wish(name, inject=inject, sham=sham, seed=seed, graph=graph, directed=bool(directed), phases=lengths, topology=topology)


def _look_ahead(wish: Wish, *, as_json: bool) -> None:
    """Exits 0 when the drill could be run, 2 when it would be skipped or refused."""
    outlook = dryrun.look_ahead(Home.from_environment(), wish, now=time.time())
    terminal.emit(outlook) if as_json else terminal.write(told.outlook(outlook))
    raise typer.Exit(EXPECTED if outlook.possible else USAGE)


def _perform(wish: Wish) -> Outcome:
    """Only this process gets the Ctrl-C; the drill's children are in sessions of their own."""
    terminal.obey_interrupts()
    screen = Console(stderr=True, highlight=False)
    with screen.status("starting") as status:
        say = screen.print if screen.is_terminal else terminal.say
        view = LiveView(show=status.update if screen.is_terminal else None, say=say)
        return drills.perform(Run(wish, Home.from_environment(), say=say, draw=view.draw), hold_interrupts=_hold_interrupts)


def _hold_interrupts() -> None:
    """From here on the record is written, which is bounded; a second Ctrl-C waits for it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: terminal.say("finishing the record, at most half a minute"))


def _exit_code(outcome: Outcome) -> int:
    if outcome.verdict in ENDED_EARLY:
        return ENDED_EARLY[outcome.verdict]
    quiet = not outcome.sham or outcome.alerts is None or not outcome.alerts.fired
    return EXPECTED if outcome.verdict == outcome.expected_verdict and quiet else UNEXPECTED
