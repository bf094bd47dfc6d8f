"""`failwhale audit RUN_ID`: was anything that users were promised lost, doubled or not delivered?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from chaos.audit import run, witness
from chaos.audit.model import VIOLATIONS, Audit
from failwhale.commands import terminal
from loadgen import history, recording
from reference_app.kit.home import Home

CLEAN, VIOLATED, INCOMPLETE = 0, 1, 2
COUNTS = ("attempted", "acknowledged", "indeterminate", *VIOLATIONS, "duplicated_transient", "timelines_checked", "stale")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(audit)


def audit(
    run_id: Annotated[str, typer.Argument(help="A run below the lab's `runs/`, or `latest`.")],
    *,
    settle: Annotated[
        float, typer.Option(min=0, help="Seconds to look again while something is not clean: the app may repair it.")
    ] = run.SETTLE_S,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Compare a run's history with the rows and timelines of the running lab, and write `audit.json` into the run, unless this one is incomplete.

    Exit codes: 0 complete and clean, 1 something is lost, doubled, missing or not unique, 2 incomplete or wrong usage.
    """
    home = Home.from_environment()
    try:
        directory = recording.directory(home, run_id)
    except recording.NoHistoryError as error:
        terminal.complain(str(error))
        raise typer.Exit(INCOMPLETE) from None
    lab = home.lab()
    terminal.say(f"auditing {directory.name} (up to {settle:g} s while something is not clean)")
    found = run.audit(lab, directory / history.FILE, witnessed=witness.read(directory), settle_s=settle)
    kept = (directory / run.FILE).exists() and not (found.complete or found.violations)
    if not kept:
        run.write(directory, found)
    _show(found, directory, as_json=as_json)
    terminal.say(f"{'this one is incomplete, so the former is kept' if kept else 'recorded'} in {directory / run.FILE}")
    raise typer.Exit(_exit_code(found))


def _exit_code(found: Audit) -> int:
    """A broken promise counts even when not everything could be read."""
    if found.violations:
        return VIOLATED
    return CLEAN if found.complete else INCOMPLETE


def _show(found: Audit, directory: Path, *, as_json: bool) -> None:
    if as_json:
        terminal.emit({"schema": "failwhale/audit/v1", "run_id": directory.name, **asdict(found)})
        return
    terminal.show(_table(found))
    for line in _explanation(found):
        terminal.say(line)


def _table(found: Audit) -> Table:
    table = Table("", "count", title="audit", title_justify="left")
    for name in COUNTS:
        count = getattr(found, name)
        table.add_row(name.replace("_", " "), "not checked" if count is None else str(count))
    return table


def _explanation(found: Audit) -> Iterator[str]:
    for example in found.examples:
        tweets = ", ".join(map(str, example.tweet_ids)) or "no id"
        yield f"  {example.finding.replace('_', ' ')}: user {example.user_id}, key {example.key}, tweet {tweets}: {example.detail}"
    for shard, source in found.sources.items():
        if source == "replica":
            yield f"{shard} was read from its replica, because its primary does not answer"
    for reason in found.reasons:
        yield f"incomplete: {reason}"
    broken = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in found.violations.items())
    yield f"broken promises: {broken}" if broken else "complete and clean" if found.complete else "nothing wrong in what could be checked"
