"""`failwhale shard list / promote / rebuild / backup / backups`: who is the primary of each database, and copies of its data."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from failwhale.commands import terminal
from reference_app.kit.home import Home
from reference_app.stack import backup, promotion, rebuilding, shards, standing

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Name = Annotated[str, typer.Argument(help="A database (tweets-db-0) or one of its members (tweets-db-0-replica).")]
_HELP = "Databases: their primaries and replicas, promotion, rebuild, backup and restore."


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(no_args_is_help=True, help=_HELP)
    for command in (promote, rebuild, backups):
        group.command()(command)
    group.command("list")(list_all)
    group.command("backup")(take)
    app.add_typer(group, name="shard")


@dataclass(frozen=True)
class _Listed:
    schema: str
    shards: list[standing.Standing]


def list_all(*, as_json: Json = False) -> None:
    """Show each database: who is its primary, whether it takes writes and its replica follows, where it is. Exits 0 when all do, else 1."""
    found = standing.of_all(Home.from_environment())
    if as_json:
        terminal.emit(_Listed("failwhale/shards/v1", found))
    else:
        terminal.show(_table(found))
    raise typer.Exit(0 if all(shard.well for shard in found) else 1)


def promote(name: Name, *, as_json: Json = False) -> None:
    """Make the replica the primary. A healthy primary hands over and follows; any other is killed first, and rebuilt as a replica.

    Naming the member that is the primary finishes a promotion that was interrupted.
    """
    done = promotion.promote(Home.from_environment(), name, by=getpass.getuser(), say=terminal.say)
    if as_json:
        terminal.emit(done)
        return
    how = "rebuilt from it" if done.rebuilt else "follows it"
    terminal.say(f"{done.primary} is the primary of {done.shard}, {done.replica} {how}; {done.seconds:.1f} s")


def rebuild(name: Name, *, as_json: Json = False) -> None:
    """Make the replica anew from the primary, whatever it holds: so a former primary rejoins."""
    done = rebuilding.rebuild(Home.from_environment(), name, say=terminal.say)
    if as_json:
        terminal.emit(done)
        return
    terminal.say(f"{done.replica} is a replica of {done.primary} again; {done.seconds:.1f} s")


def take(name: Name, *, as_json: Json = False) -> None:
    """Dump a database without stopping anybody, from its replica where it has one."""
    home = Home.from_environment()
    lab = home.lab()
    made = backup.take(home, shards.copy_of(lab, name))
    if as_json:
        terminal.emit(made)
        return
    terminal.say(
        f"{home.backups / made.id}: {made.bytes:,} bytes from {made.source} up to {made.position or 'the start'}; {made.seconds:.1f} s"
    )


@dataclass(frozen=True)
class _Backups:
    schema: str
    backups: list[backup.Backup]


def backups(*, as_json: Json = False) -> None:
    """Show the backups, newest first."""
    found = backup.list_all(Home.from_environment())
    if as_json:
        terminal.emit(_Backups("failwhale/backups/v1", found))
        return
    table = Table("backup", "taken at", "from", "up to", "bytes", box=box.SIMPLE_HEAD)
    for made in found:
        taken = datetime.fromtimestamp(made.taken_at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        table.add_row(made.id, taken, made.source, made.position, f"{made.bytes:,}")
    terminal.show(table)


def _table(found: list[standing.Standing]) -> Table:
    table = Table("database", "primary", "takes writes", "replica", "follows", "behind s", "position", box=box.SIMPLE_HEAD)
    for s in found:
        behind = "" if s.lag_s is None else f"{s.lag_s:g}"
        table.add_row(s.shard, s.primary, _yes(s.takes_writes), s.replica or "none", _yes(s.follows), behind, s.position)
    return table


def _yes(answer: bool | None) -> str:  # noqa: FBT001
    return "" if answer is None else "yes" if answer else "[bold red]no[/]"
