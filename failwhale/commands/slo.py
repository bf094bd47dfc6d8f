"""`failwhale slo generate [--check]`: the committed Prometheus rules."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboards.rules import generate, windows
from failwhale.commands import terminal
from reference_app.kit import home
from reference_app.query import slo

DRIFTED, USAGE = 1, 2


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(no_args_is_help=True, help="Service level objectives, and the alert rules that follow from them.")
    group.callback()(_group)
    group.command("generate")(generate_rules)
    app.add_typer(group, name="slo")


def _group() -> None:
    """Service level objectives, and the alert rules that follow from them."""


def generate_rules(
    *, check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when a committed file is not up to date.")] = False
) -> None:
    """Write the Prometheus rules that `reference_app/contract/slo.yaml`, the burn windows and the causes ask for.

    Exit codes: 0 up to date, 1 drifted, 2 an objective that cannot be turned into rules.
    """
    try:
        files = generate.drifted(home.REPOSITORY) if check else generate.write(home.REPOSITORY)
    except (slo.SloError, windows.WindowError) as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    for file in files:
        terminal.say(f"{file} is not what would be generated: run `make gen`" if check else f"wrote {file}")
    raise typer.Exit(DRIFTED if check and files else 0)
