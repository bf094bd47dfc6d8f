"""`failwhale suggestions build`: whom to follow, computed from the follows of now."""

from __future__ import annotations

from typing import Annotated

import typer

from failwhale.commands import bar, terminal
from reference_app.kit.home import Home
from reference_app.stack import suggesting


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(no_args_is_help=True, help="Whom to follow: computed aside, served from the key-value tier.")
    group.callback()(_group)
    group.command("build")(build)
    app.add_typer(group, name="suggestions")


def _group() -> None:
    """Whom to follow: computed aside, served from the key-value tier."""


def build(*, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False) -> None:
    """Compute suggestions, load them as a new generation, and serve it instead of the one before. Seeding does so, too."""
    with bar.shown("rows") as report:
        users = suggesting.build(Home.from_environment(), report)
    if as_json:
        terminal.emit({"schema": "failwhale/suggestions/v1", "users": users})
    else:
        terminal.say(f"suggestions for {users:,} users")
