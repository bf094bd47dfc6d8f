"""`failwhale drills`: the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Column, Table

from chaos.catalogue import CatalogueError
from failwhale import drillsdoc
from failwhale.commands import terminal

SCHEMA = "failwhale/drills/v1"
USAGE = 2


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(drills)


def drills(*, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False) -> None:
    """List the drills there are: what each does, where, and what it is expected to show. `failwhale drill NAME` runs one."""
    try:
        library = drillsdoc.library()
    except CatalogueError as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    if as_json:
        terminal.emit({"schema": SCHEMA, "drills": library})
        return
    table = Table(Column("drill", no_wrap=True), "fault", "target", "topology", "predicted", "alerts")
    for drill in library:
        alerts = ", ".join(map(drillsdoc.alert_text, drill.expected_alerts))
        table.add_row(
            drill.name, drill.fault, ", ".join(drill.components), drillsdoc.topologies_text(drill),
            f"{drill.expected_verdict}{drillsdoc.passing_text(drill, str(drill.twin_with))}", alerts,
        )  # fmt: skip
    terminal.show(table)
