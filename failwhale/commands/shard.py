"""`failwhale shard list / promote / rebuild / backup / backups / transactions / restore`: who is the primary of each database, and copies of its data."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from failwhale.commands import terminal
from reference_app.kit.home import Home
from reference_app.stack import backup, binlog, errors, promotion, rebuilding, restoring, shards, standing
from reference_app.stack.binlog import Transaction

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Name = Annotated[str, typer.Argument(help="A database (tweets-db-0) or one of its members (tweets-db-0-replica).")]
_HELP = "Databases: their primaries and replicas, promotion, rebuild, backup and restore."


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    group = typer.Typer(no_args_is_help=True, help=_HELP)
    for command in (promote, rebuild, backups, transactions, restore):
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
    """Dump a database without stopping anybody, from its replica where it has one. The newest five of each are kept."""
    home = Home.from_environment()
    lab = home.lab()
    with shards.alone(home):
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


@dataclass(frozen=True)
class _Logged:
    """A transaction as it is told; `at` Unix seconds."""

    gtid: str
    at: float
    rows: dict[str, int]
    statement: str


@dataclass(frozen=True)
class _Transactions:
    schema: str
    shard: str
    transactions: list[_Logged]


def transactions(name: Name, *, top: Annotated[int, typer.Option(min=1, help="How many.")] = 10, as_json: Json = False) -> None:
    """Show the transactions in the binlog of the primary that changed most rows: a statement without WHERE stands out."""
    home = Home.from_environment()
    primary, _ = shards.pair(home.lab(), name)
    found = sorted(binlog.read(home, primary), key=lambda t: t.touched, reverse=True)
    largest = [_logged(t) for t in found[:top]]
    if as_json:
        terminal.emit(_Transactions("failwhale/transactions/v1", primary.shard, largest))
        return
    table = Table("transaction", "at", "rows", "statement", box=box.SIMPLE_HEAD)
    for logged in largest:
        rows = ", ".join(f"{what} {count:,}" for what, count in logged.rows.items())
        table.add_row(logged.gtid, datetime.fromtimestamp(logged.at, UTC).strftime("%H:%M:%S"), rows, Text(logged.statement))
    terminal.show(table)


def restore(
    name: Name,
    *,
    without: Annotated[str, typer.Option(help="The transaction to leave out (0-18024-17); everything before and after it is kept.")] = "",
    before: Annotated[datetime | None, typer.Option(help="UTC; everything from then on is given up, acknowledged or not.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Restore a database without one transaction, or as it was at a moment, from a backup and the primary's binlog.

    It is built in the replica, which is then promoted. Reads go on meanwhile, and writes go to other shards.
    """
    home = Home.from_environment()
    if bool(without) == (before is not None):
        raise errors.StackError(
            f"say what to leave out: --without TRANSACTION (see `failwhale shard transactions {name}`), or --before TIME"
        )
    shard = shards.pair(home.lab(), name)[0].shard
    course = restoring.before(home, shard, before.replace(tzinfo=UTC).timestamp()) if before else restoring.without(home, shard, without)
    _tell(course)
    if dry_run:
        return
    done = restoring.restore(home, course, by=getpass.getuser(), say=terminal.say)
    if as_json:
        terminal.emit(done)
        return
    terminal.say(f"{done.shard} is restored, {done.primary} is its primary; {done.seconds:.1f} s")


def _tell(course: restoring.Course) -> None:
    what = "one transaction" if course.skipped else f"everything from {course.dropped[0].gtid} on, {len(course.dropped):,} transactions"
    terminal.say(f"{course.shard} from {course.source.id} (up to {course.source.position or 'the start'}), leaving out {what}:")
    for transaction in course.dropped[:5]:
        rows = ", ".join(f"{what} {count:,}" for what, count in transaction.rows.items())
        terminal.say(f"  {transaction.gtid}  {rows}  {transaction.text}")


def _logged(transaction: Transaction) -> _Logged:
    return _Logged(str(transaction.gtid), transaction.at, dict(transaction.rows), transaction.text)


def _table(found: list[standing.Standing]) -> Table:
    table = Table("database", "primary", "takes writes", "replica", "follows", "behind s", "position", box=box.SIMPLE_HEAD)
    for s in found:
        behind = "" if s.lag_s is None else f"{s.lag_s:g}"
        table.add_row(s.shard, s.primary, _yes(s.takes_writes), s.replica or "none", _yes(s.follows), behind, s.position)
    return table


def _yes(answer: bool | None) -> str:  # noqa: FBT001
    return "" if answer is None else "yes" if answer else "[bold red]no[/]"
