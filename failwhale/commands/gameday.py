"""`failwhale gameday FILE`: a seeded sequence of drills and sham twins, with one report at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from chaos import gameday as days
from chaos.catalogue import InvalidExperimentError
from chaos.gameday import InvalidGameDayError
from failwhale import daypage, dayrecord, drillsdoc
from failwhale import gameday as performing
from failwhale.commands import terminal
from failwhale.dayrecord import NoGameDayError, Planned, Record
from failwhale.dayreport import Report
from failwhale.gameday import GameDayError
from reference_app.kit.home import REPOSITORY, Home

PLAN_SCHEMA = "failwhale/gameday-plan/v1"
SEED = 1
OK, NOT_OK, USAGE, INTERRUPTED = 0, 1, 2, 130
ERRORS = (InvalidGameDayError, NoGameDayError, GameDayError, InvalidExperimentError, OSError)


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(gameday)


def gameday(
    file: Annotated[Path | None, typer.Argument(help="A game day, for example chaos/gamedays/first.yaml.")] = None,
    *,
    seed: Annotated[
        int | None,
        typer.Option(help="The same number draws the same order and the same twins, and is the seed of every drill; without it 1."),
    ] = None,
    continued: Annotated[str, typer.Option("--continue", metavar="ID", help="Go on with a game day that ended early; or `latest`.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and how long it would take; start nothing.")] = False,
    yes: Annotated[
        bool,
        typer.Option(
            "--yes", help="Where a drill needs another topology the lab's data may be deleted; runs, incidents and game days are kept."
        ),
    ] = False,
    write_docs: Annotated[bool, typer.Option("--write-docs", help="Write the results of the last game days into docs/drills.md.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Drill after drill, each on a lab that is as it was before; the record and the report are kept in var/gamedays.

    Ctrl-C undoes the fault that is in force and keeps the record. Exit codes: 0 every drill ended as its file predicts and nothing was lost
    or duplicated, 1 not so, 2 usage or environment, 130 interrupted (undone).
    """
    home = Home.from_environment()
    if (file is not None) + bool(continued) + write_docs != 1:
        terminal.complain("say one of: a FILE, --continue ID, --write-docs")
        raise typer.Exit(USAGE)
    if seed is not None and file is None:
        terminal.complain("--seed is of a FILE: a game day that goes on has its seed already")
        raise typer.Exit(USAGE)
    try:
        if write_docs:
            _write_docs(home)
            return
        day = performing.plan(home, file, seed=SEED if seed is None else seed, own_lab=yes) if file else dayrecord.find(home, continued)
        if dry_run:
            _foretell(day, as_json=as_json)
            return
        report = _perform(home, day, own_lab=yes)
    except ERRORS as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    _show(home, report, as_json=as_json)
    raise typer.Exit(OK if report.ok else NOT_OK)


def _write_docs(home: Home) -> None:
    try:
        terminal.say(f"wrote {drillsdoc.write_results(REPOSITORY, home.gamedays)}")
    except ValueError as error:
        raise GameDayError(str(error)) from error


def _perform(home: Home, day: Planned | Record, *, own_lab: bool) -> Report:
    terminal.obey_interrupts()
    return performing.perform(home, day, terminal.say, own_lab=own_lab)


def _foretell(day: Planned | Record, *, as_json: bool) -> None:
    tasks = day.tasks if isinstance(day, Planned) else day.left
    minutes = days.seconds(tasks) / 60
    if as_json:
        terminal.emit({"schema": PLAN_SCHEMA, "minutes": round(minutes), "drills": tasks})
        return
    table = Table("", "drill", "topology", "predicted", "seconds")
    for task in tasks:
        table.add_row(str(task.number), task.title, task.topology, task.expected_verdict, f"{task.seconds:.0f}")
    terminal.show(table)
    terminal.say(f"{len(tasks)} drills, about {minutes:.0f} minutes")


def _show(home: Home, report: Report, *, as_json: bool) -> None:
    if as_json:
        terminal.emit(report)
        return
    table = Table("", "drill", "predicted", "verdict", "why")
    for drill in report.drills:
        told = drill.result.reasons[0] if drill.result and drill.result.reasons else ""
        table.add_row(str(drill.number), drill.title, drill.expected_verdict, drill.verdict or daypage.NOT_DONE, told)
    terminal.show(table)
    terminal.write([daypage.summary(report.totals), f"report {home.gamedays / report.id / daypage.FILE}"])
    if not report.complete:
        terminal.say(f"it goes on with `failwhale gameday --continue {report.id}`")
