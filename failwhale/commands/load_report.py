"""`failwhale load report`: what a load saw, also long after it ended."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from failwhale.commands import terminal
from loadgen import recording
from loadgen.intents import Intents
from loadgen.report import Load
from reference_app.kit.home import Home

VALID, INVALID, USAGE = 0, 1, 2


class UnreadableError(Exception):
    """Nothing can be said of that load, or not yet."""


def report(
    run_id: Annotated[str, typer.Argument(help="A run below the lab's `runs/`, a drill's too, or `latest`.")] = recording.LATEST,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Show what the clients of a recorded run saw, and the traces of its slowest requests.

    Exit codes: 0 the measurement is valid, 1 it is not, 2 there is no such run, its load is not over, or its record cannot be read.
    """
    try:
        run_dir = recording.directory(Home.from_environment(), run_id)
        load = _of_one_that_is_over(run_dir)
    except (recording.NoHistoryError, UnreadableError) as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    show(load, run_dir, as_json=as_json)
    raise typer.Exit(VALID if load.valid else INVALID)


def _of_one_that_is_over(run_dir: Path) -> Load:
    try:
        if left := recording.seconds_left(run_dir, now=time.time()):
            raise UnreadableError(f"the load of {run_dir.name} runs for up to {left:.0f} s more: ask again then")
        return recording.read(run_dir).load
    except (FileNotFoundError, msgspec.DecodeError) as error:
        raise UnreadableError(
            f"the record of {run_dir.name} cannot be read ({error}): another version left it, or it was cut off"
        ) from None


def show(load: Load, run_dir: Path, *, as_json: bool) -> None:
    """The report of one load: its JSON object on stdout, else tables."""
    if as_json:
        document: dict[str, Any] = {"schema": "failwhale/load/v1", "run_id": run_dir.name, "run_dir": str(run_dir), "load": load}
        terminal.emit(document)
        return
    terminal.show(_phases(load))
    if load.slowest:
        terminal.show(_slowest(load))
    planned = f"{load.sent} of {load.planned} planned requests sent, " if load.planned else ""
    terminal.say(f"{planned}{load.acknowledged} tweets acknowledged; recorded in {run_dir}")
    if load.intents.wanted:
        terminal.say(_goodput(load.intents))
    terminal.say("the measurement is valid" if load.valid else "the measurement is not valid:")
    for reason in load.invalid_reasons:
        terminal.say(f"  {reason}")


def _goodput(intents: Intents) -> str:
    told = ", ".join(f"{count} {reaction}" for reaction, count in intents.reactions.items()) or "none"
    served = f"{intents.served} of {intents.wanted} things that users wanted were served"
    return f"{served}, with {intents.amplification:g} requests each (reactions: {told})"


def _phases(load: Load) -> Table:
    table = Table("phase", "requests", "errors", "pages complete", "partial", "p50 ms", "p99 ms", title=f"load {load.preset}")
    for name, phase in load.phases.items():
        times = phase.requests.latency_ms
        cells = (phase.requests.sent, phase.requests.errors, phase.pages_complete, phase.pages_partial, times.p50, times.p99)
        table.add_row(name, *("-" if cell is None else f"{cell:g}" for cell in cells))
    return table


def _slowest(load: Load) -> Table:
    table = Table("second", "phase", "what", "ms", "answer", "trace", title="the slowest requests (`failwhale trace show TRACE`)")
    for one in load.slowest:
        at_least = ">= " if one.error else ""
        table.add_row(
            f"{one.due:.1f}", one.phase, one.op, f"{at_least}{one.response_ms:.0f}", one.error or str(one.status), one.trace_id or "-"
        )
    return table
