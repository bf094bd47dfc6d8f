"""`failwhale ring list / set`: which caches hold keys."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from failwhale.commands import terminal
from reference_app.kit import files
from reference_app.kit.home import Home
from reference_app.stack import rings

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
_HELP = "Rings of caches: who is in them. A change is in force in every process at the same moment."


@dataclass(frozen=True)
class _Ring:
    group: str
    nodes: tuple[str, ...]
    out: tuple[str, ...]
    since: float


@dataclass(frozen=True)
class _Listed:
    schema: str
    rings: list[_Ring]


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(no_args_is_help=True, help=_HELP)
    group.command("list")(list_all)
    group.command("set")(set_one)
    app.add_typer(group, name="ring")


def list_all(*, as_json: Json = False) -> None:
    """Show the ring of each group, and the caches that are not in it."""
    home = Home.from_environment()
    lab = home.lab()
    found = []
    for group in rings.GROUPS:
        members = rings.members(home, lab, group)
        out = tuple(c.name for c in lab.group(group) if c.name not in members.nodes)
        found.append(_Ring(group, members.nodes, out, members.since))
    if as_json:
        terminal.emit(_Listed("failwhale/rings/v1", found))
        return
    table = Table("group", "in the ring", "out of it", box=box.SIMPLE)
    for ring in found:
        table.add_row(ring.group, " ".join(ring.nodes), " ".join(ring.out))
    terminal.show(table)


def set_one(
    group: Annotated[str, typer.Argument(help=f"One of: {', '.join(rings.GROUPS)}.")],
    nodes: Annotated[list[str], typer.Argument(metavar="NODE...", help="All that shall be in the ring.")],
) -> None:
    """Make these caches the ring of the group: while the decider ring_guard is on, one or a quarter of them at a time, 5 s apart.

    A cache is emptied before it joins; before one leaves, the others delete the keys that they take over. An interrupted change stays
    between two steps, and the same command goes on with it. A second one waits until the first is done.

    Exit codes: 0 it is in force, 2 no such group or cache, or a cache that gains keys does not answer, 130 interrupted.
    """
    terminal.obey_interrupts()
    home = Home.from_environment()
    with files.locked(home.path / "ring-change.lock"):
        in_force = rings.change(home, group, nodes, by=getpass.getuser(), say=terminal.say)
    terminal.say(f"in force: {' '.join(in_force.nodes)}")
