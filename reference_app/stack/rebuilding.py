"""Rebuilding a replica from its primary: whoever was a primary rejoins only so, without the transactions that nobody acknowledged."""

from __future__ import annotations

import time
from dataclasses import dataclass

from reference_app.contract.topology import Component
from reference_app.kit.home import Home
from reference_app.stack import backup, bootstrap, errors, mariadb, replication, shards
from reference_app.stack.control import Control
from reference_app.stack.shards import Say

COPY_S = backup.SECONDS + 2 * shards.STEP_S
"""Of loading a copy, and of what it has to catch up with then."""
_TIMED_OUT = -1


@dataclass(frozen=True)
class Rebuilt:
    """`position` is where its copy began (GTID)."""

    shard: str
    primary: str
    replica: str
    position: str
    bytes: int
    seconds: float


def rebuild(home: Home, name: str, *, say: Say) -> Rebuilt:
    """Make the replica of a shard anew from its primary, whatever it holds. Raises StackError."""
    started = time.monotonic()
    with shards.alone(home):
        control = Control(home)
        primary, replica = shards.pair(control.lab, shards.name_of(control.lab, name))
        if name == primary.name:
            raise errors.ReplicationError(f"{name} is the primary of {primary.shard}: promote {replica.name} first, then rebuild this one")
        bootstrap.require_removable(home, replica)
        copied = make_anew(control, primary, replica, say)
        shards.done(open_for_writes(primary))
        return Rebuilt(primary.shard, primary.name, replica.name, copied.position, copied.bytes, round(time.monotonic() - started, 3))


def make_anew(control: Control, primary: Component, replica: Component, say: Say) -> backup.Backup:
    """A fresh directory, the primary's data, and from there on replication."""
    say(f"copying {primary.name}")
    copied = backup.take(control.home, primary)
    say(f"building {replica.name} from it ({copied.bytes:,} bytes)")
    start_empty(control, replica)
    shards.done(_copy_from(control, copied, primary, replica), COPY_S)
    return copied


def start_empty(control: Control, member: Component) -> None:
    """Whatever it held is deleted; it runs, empty, as a replica."""
    shards.hold_down(control, member.name)
    bootstrap.write_role(control.home, member)
    bootstrap.provision(control.home, member)
    control.start(member.name)
    control.wait_ready([member.name], shards.STEP_S)


async def _copy_from(control: Control, copied: backup.Backup, primary: Component, replica: Component) -> None:
    async with mariadb.connected(primary) as source, mariadb.connected(replica) as copy, copy.hurrying():
        await backup.load(control.home, copied, copy)
        await replication.point_at(copy, source)
        await replication.follow(copy, source)
        if await copy.value(f"MASTER_GTID_WAIT('{await source.position()}', {shards.STEP_S:g})") == _TIMED_OUT:
            raise errors.ReplicationError(
                f"{copy.name} does not catch up with {source.name}: `failwhale shard rebuild {replica.shard}` tries again"
            )
        await backup.identify(copy, control.lab.identity_key)


async def open_for_writes(primary: Component) -> None:
    """As soon as a replica acknowledges to it."""
    async with mariadb.connected(primary) as source:
        await replication.open_writes(source)
