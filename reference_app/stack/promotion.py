"""Promotion: another member of a shard becomes its primary, and the former one rejoins without what nobody acknowledged.

Order is all: the former primary is fenced first; the roles file is the decision; whatever follows it may be repeated until it is done.
The new primary stays read-only until a replica acknowledges to it, so that services divert their writes instead of waiting in vain.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import Literal

from asyncmy.errors import MySQLError

from reference_app.contract.topology import Component
from reference_app.kit import changes, roles
from reference_app.kit.home import Home
from reference_app.stack import bootstrap, errors, mariadb, questions, rebuilding, replication, shards
from reference_app.stack.control import Control
from reference_app.stack.mariadb import Server
from reference_app.stack.shards import Say

Former = Literal["handed over", "killed", "unknown"]
_QUIESCE_S, _ANSWER_S, _REJOIN_S = 1, 1.0, 3.0


@dataclass(frozen=True)
class Promoted:
    """`planned`: the former primary was well and followed without being killed. `rebuilt`: it was made anew from the new one."""

    shard: str
    primary: str
    replica: str
    former: str
    planned: bool
    rebuilt: bool
    seconds: float


def promote(home: Home, name: str, *, by: str, say: Say) -> Promoted:
    """Make a member the primary: the named one, or of a named shard its replica. Naming the primary finishes what was interrupted.

    Raises StackError with nothing changed while it is not decided, and with a primary that takes no writes yet after that.
    """
    started = time.monotonic()
    with shards.alone(home):
        control = Control(home)
        former, chosen = shards.pair(control.lab, name)
        if chosen.name == former.name:
            fenced: Former = "unknown"
        else:
            bootstrap.require_removable(home, former)  # it may have to be made anew once that is decided
            fenced = _fence(control, former, chosen, say)
            decide(home, former, chosen, by)
        primary, replica, rebuilt = complete(home, former.shard, fenced, say)
    seconds = round(time.monotonic() - started, 3)
    return Promoted(primary.shard, primary.name, replica.name, former.name, fenced == "handed over", rebuilt, seconds)


def _fence(control: Control, former: Component, chosen: Component, say: Say) -> Former:
    """Nobody writes to the former primary any more and the chosen member has all that was acknowledged."""
    shards.done(_require_candidate(former, chosen))
    bootstrap.write_role(control.home, replace(former, role="replica"))  # whoever restarts it now, it takes no writes
    ran, planned = control.runs(former.name), False
    try:
        if planned := asyncio.run(_quiesced(former)):
            say(f"{former.name} is read-only now")
        else:
            shards.hold_down(control, former.name)
            say(f"{former.name} is held down")
        shards.done(_applied(chosen, shards.done(_position(former)) if planned else ""))
    except errors.StackError:
        bootstrap.write_role(control.home, former)
        if planned:
            shards.done(rebuilding.open_for_writes(former))
        elif ran:
            control.start(former.name)
        raise
    return "handed over" if planned else "killed"


def decide(home: Home, former: Component, chosen: Component, by: str) -> None:
    """From here on the chosen member is the primary."""
    roles.assign(home.roles_file, chosen.shard, chosen.name)
    changes.record(home, changes.Change(time.time(), "primary", chosen.shard, former.name, chosen.name, by))


def complete(home: Home, shard: str, fenced: Former, say: Say) -> tuple[Component, Component, bool]:
    """Whoever the roles file calls primary takes writes, and the other member follows it: (primary, replica, whether that was rebuilt)."""
    control = Control(home)
    primary, replica = shards.pair(control.lab, shard)
    bootstrap.put_back(home, primary)  # what a restore set aside is obsolete once it is decided
    bootstrap.write_role(home, primary)
    shards.done(_lead(primary))
    say(f"{primary.name} is the primary; it takes writes once a replica is there")
    rejoined = fenced != "killed" and asyncio.run(_rejoined(primary, replica, fenced))
    if not rejoined:
        rebuilding.make_anew(control, primary, replica, say)
    shards.done(rebuilding.open_for_writes(primary))
    return primary, replica, not rejoined


async def _require_candidate(former: Component, chosen: Component) -> None:
    """Raises ReplicationError unless the member is a replica whose data may be trusted."""
    answer = await questions.ask(chosen, _ANSWER_S)
    if not answer.ok:
        raise errors.ReplicationError(f"{chosen.name} cannot be promoted: {answer.detail}. `failwhale up` starts what does not run")
    async with mariadb.connected(chosen) as copy:
        status = await copy.replica_status()
    if status.get("Master_Port") != former.port:
        raise errors.ReplicationError(
            f"{chosen.name} is no replica of {former.name}, so it may lack what was acknowledged: `failwhale shard rebuild {chosen.shard}` first"
        )
    if status["Slave_SQL_Running"] != "Yes":
        raise errors.ReplicationError(f"{chosen.name} does not apply what it receives: {status['Last_SQL_Error'] or 'it was stopped'}")


async def _quiesced(former: Component) -> bool:
    """True when it is well and takes no writes any more; commits that were under way are done by then."""
    if not (await questions.ask(former, _ANSWER_S)).ok:
        return False
    try:
        async with asyncio.timeout(2 * _QUIESCE_S), mariadb.connected(former) as source:
            if not await source.acknowledging_replicas():
                return False
            await source.refuse_writes(_QUIESCE_S)
    except (TimeoutError, MySQLError, OSError):
        return False
    return True


async def _position(former: Component) -> str:
    async with mariadb.connected(former) as source:
        return await source.position()


async def _applied(chosen: Component, position: str) -> None:
    """Until the replica has applied the position, or without one all that it received. Its threads are not stopped: that would drop the relay log."""
    async with mariadb.connected(chosen) as copy:
        wanted = position or (await copy.replica_status())["Gtid_IO_Pos"]
        if wanted and await copy.value(f"MASTER_GTID_WAIT('{wanted}', {shards.STEP_S - 1:g})") != 0:
            error = (await copy.replica_status()).get("Last_SQL_Error") or "it is slow"
            raise errors.ReplicationError(f"{chosen.name} did not apply all that it received: {error}")


async def _lead(primary: Component) -> None:
    """It follows nobody and waits for replicas; it is still read-only."""
    async with mariadb.connected(primary) as server:
        if await server.replica_status():
            await server.execute("STOP SLAVE", "RESET SLAVE ALL")
        await server.execute("SET GLOBAL rpl_semi_sync_slave_enabled = OFF", "SET GLOBAL rpl_semi_sync_master_enabled = ON")


async def _rejoined(primary: Component, replica: Component, fenced: Former) -> bool:
    """True when the other member follows without being rebuilt: it did already, or it handed over and has nothing of its own."""
    try:
        async with asyncio.timeout(_REJOIN_S), mariadb.connected(primary) as source, mariadb.connected(replica) as copy:
            if fenced == "handed over":
                await _hand_over(copy, source)
            await replication.follow(copy, source)
    except (TimeoutError, MySQLError, OSError, errors.ReplicationError):
        return False
    return True


async def _hand_over(copy: Server, source: Server) -> None:
    await copy.execute(
        "SET GLOBAL rpl_semi_sync_master_enabled = OFF",
        "SET GLOBAL rpl_semi_sync_slave_enabled = ON",
        "SET GLOBAL gtid_slave_pos = @@gtid_current_pos",
    )
    await replication.point_at(copy, source)
