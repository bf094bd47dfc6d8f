"""`failwhale decider list / set / reset`: the run-time switches of the lab."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from failwhale.commands import terminal
from reference_app.kit import deciders
from reference_app.kit.home import Home

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Name = Annotated[str, typer.Argument(help="A name that `failwhale decider list` shows.")]
USAGE = 2


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(no_args_is_help=True, help="Run-time switches: services follow a change within 200 ms, nothing restarts.")
    group.callback()(_group)
    group.command("list")(list_all)
    group.command("set")(set_one)
    group.command("reset")(reset)
    app.add_typer(group, name="decider")


def _group() -> None:
    """Run-time switches: services follow a change within 200 ms, nothing restarts."""


def list_all(*, as_json: Json = False) -> None:
    """Show every decider: its value, its default and what it does."""
    in_force = deciders.read(Home.from_environment().deciders_file)
    if as_json:
        listed = [
            {"name": name, "value": in_force[name], "default": decider.default, "meaning": decider.meaning}
            for name, decider in deciders.DECIDERS.items()
        ]
        terminal.emit({"schema": "failwhale/deciders/v1", "deciders": listed})
        return
    table = Table("decider", "value", "default", "meaning", box=box.SIMPLE_HEAD)
    for name, decider in deciders.DECIDERS.items():
        changed = in_force[name] != decider.default
        table.add_row(name, f"[bold]{in_force[name]}[/]" if changed else str(in_force[name]), str(decider.default), decider.meaning)
    terminal.show(table)


def set_one(
    name: Name, value: Annotated[int, typer.Argument(help="0 (off) to 10000 (on), in between a probability; or a number.")]
) -> None:
    """Set a decider. The change is recorded, and stands on the timeline of a drill that runs meanwhile.

    Exit codes: 0 set, 2 no such decider, or a value that none has.
    """
    home = Home.from_environment()
    former = deciders.read(home.deciders_file).get(name)
    try:
        deciders.write(home, name, value, by=getpass.getuser())
    except ValueError as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
    terminal.say(f"{name}: {former} -> {value}" if former != value else f"{name} is {value} already")


def reset() -> None:
    """Give every decider its default again."""
    in_force = deciders.read(Home.from_environment().deciders_file)
    for name, decider in deciders.DECIDERS.items():
        if in_force[name] != decider.default:
            set_one(name, decider.default)
