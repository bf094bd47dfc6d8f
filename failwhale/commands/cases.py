"""`failwhale export-cases`: recorded drills as a root-cause data set, the truth apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from failwhale.commands import terminal
from postmortems.diagnosis import exporting
from reference_app.kit.home import Home

SCHEMA, OK, NOTHING, USAGE = "failwhale/export-cases/v1", 0, 1, 2


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command(name="export-cases")(export_cases)


def export_cases(
    out: Annotated[Path, typer.Argument(help="A directory that is not there yet.")],
    *,
    home: Annotated[
        list[Path] | None, typer.Option(help="Directory of a lab whose runs count; may be repeated. Without it: this lab.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Write signals, calls, spans, logs and alerts of every recorded drill in which something was noticed, and of every sham (docs/diagnosis.md).

    truth.json says what was broken; nothing else does. `sha256sum -c SHA256SUMS` checks the set. Exit codes: 0, 1 no case, 2 usage.
    """
    homes = [Home(path.resolve()) for path in home or ()] or [Home.from_environment()]
    try:
        exported = exporting.export(homes, out)
    except FileExistsError:
        terminal.complain(f"{out} is there already: name a directory that is not, or delete this one")
        raise typer.Exit(USAGE) from None
    except OSError as error:
        terminal.complain(f"the cases cannot be written: {error}")
        raise typer.Exit(USAGE) from None
    for line in exported.left_out:
        terminal.say(f"left out: {line}")
    if as_json:
        terminal.emit({"schema": SCHEMA, "out": str(out), "cases": exported.cases, "left_out": exported.left_out})
    else:
        where = f" in {out}" if exported.cases else ", so nothing was written"
        terminal.write([f"{len(exported.cases)} cases{where}; {len(exported.left_out)} runs left out"])
    raise typer.Exit(OK if exported.cases else NOTHING)
