"""`failwhale compare RUN_A RUN_B`: two runs side by side."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from chaos import comparison
from chaos.comparison import Row
from failwhale import twins
from failwhale.commands import terminal
from failwhale.twins import NoResultError
from reference_app.kit.home import Home

SCHEMA, USAGE = "failwhale/compare/v1", 2
RunId = Annotated[str, typer.Argument(help="A run in var/runs, or `latest`.")]


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command()(compare)


def compare(
    run_a: RunId, run_b: RunId, *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False
) -> None:
    """Goodput, deliveries, completeness and latency by phase, and what the second run changed; more than 10 % is marked.

    A drill and its sham twin (`--sham`, same seed) show what the fault alone did. Exit codes: 0, 2 when there is no such result.
    """
    home = Home.from_environment()
    try:
        first, second = twins.find(home, run_a), twins.find(home, run_b)
    except NoResultError as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    rows, difference = comparison.compare(first, second), comparison.why_no_twins(second, first)
    if as_json:
        terminal.emit(
            {"schema": SCHEMA, "runs": [first.run_id, second.run_id], "no_twins": difference or None, "tolerance": comparison.TOLERANCE,
             "rows": [row._asdict() for row in rows]}
        )  # fmt: skip
        return
    terminal.show(_table(first.run_id, second.run_id, rows))
    terminal.write(
        [f"the second is not the drill of the first, its sham twin: {difference}"] if difference else comparison.steadiness(second, first)
    )


def _table(first: str, second: str, rows: list[Row]) -> Table:
    table = Table("phase", "figure", "first", "second", "change", title=f"{first} and {second}", title_justify="left")
    for row in rows:
        change = "-" if row.change is None else f"{row.change:+.1%}{' (!)' if row.beyond else ''}"
        table.add_row(row.phase, row.figure, _text(row.first), _text(row.second), change)
    return table


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4g}"
