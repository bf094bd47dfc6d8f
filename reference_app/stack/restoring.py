"""Point-in-time restore: a database without one bad transaction, and with everything that was acknowledged before and after it.

The replica is made anew from a backup and replays the primary's binlog up to the bad transaction, and from behind it on; then it is promoted and
the former primary rebuilt from it. Meanwhile the primary is read-only: reads go on, writes go elsewhere. Until the promotion is decided, whatever
fails leaves the pair as it was.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import dropwhile

from reference_app.contract import storage
from reference_app.contract.topology import Component
from reference_app.kit.home import Home
from reference_app.stack import (
    backup,
    binlog,
    bootstrap,
    errors,
    forgetting,
    gtid,
    mariadb,
    promotion,
    rebuilding,
    replication,
    shards,
    twins,
)
from reference_app.stack.backup import Backup
from reference_app.stack.binlog import Transaction
from reference_app.stack.control import Control
from reference_app.stack.gtid import Gtid
from reference_app.stack.mariadb import Server
from reference_app.stack.shards import Say

_READ_ONLY_S = 5
_REPLAY_S = backup.SECONDS + 90.0


@dataclass(frozen=True)
class Course:
    """From `source`, replay up to and with `until`; then, unless the rest is given up, from behind `skipped` on to the end."""

    shard: str
    source: Backup
    until: str
    skipped: Gtid | None
    dropped: list[Transaction]


@dataclass(frozen=True)
class Restored:
    """`left_out` are the transactions that are not in it; `twins` are later copies of posts that became tombstones."""

    shard: str
    primary: str
    backup: str
    left_out: list[str]
    twins: int
    seconds: float


def without(home: Home, shard: str, transaction: str) -> Course:
    """All but one transaction. Raises StackError when it is not in the binlog, or no backup is older."""
    try:
        wanted = gtid.parse(transaction)
    except ValueError as error:
        raise errors.StackError(f"{error}: `failwhale shard transactions {shard}` lists those there are") from None
    found = next((t for t in _logged(home, shard) if t.gtid == wanted), None)
    if found is None:
        raise errors.StackError(f"{transaction} is not in the binlog of {shard}: `failwhale shard transactions {shard}` lists what is")
    return Course(shard, backup_before(home, shard, found.gtid.number), found.before, found.gtid, [found])


def before(home: Home, shard: str, moment: float) -> Course:
    """As it was at a moment (Unix seconds): everything later is given up, acknowledged or not."""
    later = list(dropwhile(lambda t: t.at < moment, _logged(home, shard)))  # the cut is a place: times of statements may go back
    if not later:
        raise errors.StackError(f"nothing happened in {shard} since then: there is nothing to take back")
    return Course(shard, backup_before(home, shard, later[0].gtid.number), later[0].before, None, later)


def restore(home: Home, course: Course, *, by: str, say: Say) -> Restored:
    """Follow a course. Raises StackError; before the promotion is decided the pair then is what it was."""
    started = time.monotonic()
    with shards.alone(home):
        control = Control(home)
        primary, replica = shards.pair(control.lab, course.shard)
        for member in (primary, replica):
            bootstrap.require_removable(home, member)
        _recover(control, replica)
        with _read_only(primary), _kept_aside(control, replica):
            if course.skipped is None:
                course = replace(course, dropped=list(dropwhile(lambda t: t.before != course.until, _logged(home, course.shard))))
            say(f"{primary.name} is read-only; building {replica.name} from {course.source.id}")
            rebuilding.start_empty(control, replica)
            shards.done(_replayed(control, course, primary, replica, say), _REPLAY_S)
            promotion.decide(home, primary, replica, by)
        made = _finished(home, course.shard, "killed", say)
    left_out = [str(t.gtid) for t in course.dropped]
    return Restored(course.shard, replica.name, course.source.id, left_out, made, round(time.monotonic() - started, 3))


def finish(home: Home, shard: str, *, say: Say) -> int:
    """What follows the decision, once more: for a restore that was interrupted behind it. Returns how many twins are tombstones."""
    with shards.alone(home):
        return _finished(home, shard, "unknown", say)


def _finished(home: Home, shard: str, fenced: promotion.Former, say: Say) -> int:
    """The pair works and caches forget what they believe of it."""
    primary, _, _ = promotion.complete(home, shard, fenced, say)
    made, visible = shards.done(_settled(primary))
    forgetting.forget(home.lab(), visible)
    return made


def _logged(home: Home, shard: str) -> Iterator[Transaction]:
    primary, _ = shards.pair(home.lab(), shard)
    return binlog.read(home, primary)


def backup_before(home: Home, shard: str, number: int) -> Backup:
    """The newest backup from which the binlog leads up to the transaction of that number. Raises StackError when there is none."""
    primary, _ = shards.pair(home.lab(), shard)
    first = next(binlog.read(home, primary), None)
    reaching = (first.gtid.number if first else number) - 1
    for made in backup.list_all(home, shard):
        if reaching <= _number(made) < number:
            return made
    raise errors.StackError(
        f"no backup of {shard} is older than transaction {number} and young enough for the binlog of {primary.name}, which begins "
        f"with number {reaching + 1}: `failwhale shard backups` lists those there are, `failwhale shard backup {shard}` takes one"
    )


def _number(made: Backup) -> int:
    return max((known.number for known in gtid.position(made.position)), default=0)


@contextmanager
def _read_only(primary: Component) -> Iterator[None]:
    """Nobody writes to it meanwhile; if that ends badly, it takes writes again. Raises ReplicationError when commits wait for a replica."""
    shards.done(_refuse_writes(primary))
    try:
        yield
    except BaseException:
        shards.done(rebuilding.open_for_writes(primary))
        raise


async def _refuse_writes(primary: Component) -> None:
    async with mariadb.connected(primary) as source:
        await source.refuse_writes(_READ_ONLY_S)


@contextmanager
def _kept_aside(control: Control, replica: Component) -> Iterator[None]:
    """What the replica held is deleted once the restore is decided, and put back if it never is."""
    shards.hold_down(control, replica.name)
    directory, aside = bootstrap.directory(control.home, replica), bootstrap.aside(control.home, replica)
    directory.rename(aside)
    try:
        yield
    except BaseException:
        _recover(control, replica)
        raise
    shutil.rmtree(aside)


def _recover(control: Control, replica: Component) -> None:
    """Put back what an interrupted restore set aside."""
    if not bootstrap.aside(control.home, replica).exists():
        return
    shards.hold_down(control, replica.name)
    bootstrap.put_back(control.home, replica)
    control.start(replica.name)
    control.wait_ready([replica.name], shards.STEP_S)


async def _replayed(control: Control, course: Course, primary: Component, replica: Component, say: Say) -> None:
    async with mariadb.connected(primary) as source, mariadb.connected(replica) as copy, copy.hurrying(), copy.as_a_stranger():
        end = await source.position()
        await backup.load(control.home, course.source, copy)
        # A semi-sync replica that connects and leaves at once can hang MariaDB's ack receiver for good: add_slave and remove_slave meet.
        await copy.execute("SET GLOBAL rpl_semi_sync_slave_enabled = OFF")
        await replication.point_at(copy, source)
        await _replay_until(copy, course)
        say(f"{replica.name} is where it was before {course.dropped[0].gtid}")
        if course.skipped is not None:
            async with twins.tombstoned(copy):
                await copy.execute("STOP SLAVE", f"SET GLOBAL gtid_slave_pos = '{course.skipped}'")
                await replication.follow(copy, source)
                await _reached(copy, end)
                await copy.execute("STOP SLAVE")
            say(f"and has what came after it, up to {end}")
        await backup.identify(copy, control.lab.identity_key)


async def _replay_until(copy: Server, course: Course) -> None:
    if course.until in ("", course.source.position):
        return
    await copy.execute(f"START SLAVE UNTIL master_gtid_pos = '{course.until}'")
    await _reached(copy, course.until)


async def _reached(copy: Server, position: str) -> None:
    """Raises ReplicationError when the replica stops before it."""
    while await copy.value(f"MASTER_GTID_WAIT('{position}', 0.5)") != 0:
        status = await copy.replica_status()
        if error := status["Last_SQL_Error"] or status["Last_IO_Error"]:
            raise errors.ReplicationError(f"{copy.name} cannot replay up to {position}: {error}")


async def _settled(primary: Component) -> tuple[int, list[int]]:
    """(twins that became tombstones, ids of the tweets that are in view now)."""
    async with mariadb.connected(primary) as server:
        made = await twins.announce(server)
        if primary.group != twins.GROUP:
            return made, []
        rows = await server.rows(f"SELECT id FROM {storage.DATABASE}.tweets WHERE deleted_at IS NULL")  # noqa: S608 - a constant name
        return made, [row["id"] for row in rows]
