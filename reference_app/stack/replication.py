"""Makes a replica follow its primary and writes schema and identity, in the one order that works.

With semi-sync a commit on a primary waits for its replica: so the replica is connected first, and everything reaches it as an event.
Whoever holds a transaction that the primary lacks is refused: it can only be rebuilt.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asyncmy.errors import MySQLError

from reference_app.contract import profile, storage
from reference_app.contract.topology import Component
from reference_app.stack import errors, gtid, mariadb
from reference_app.stack.mariadb import POLL_S, Server

_SCHEMA_DIRECTORY = Path(storage.__file__).parent / "schema"


async def establish(primary: Component, replica: Component | None, identity_key: str, *, fresh: bool) -> None:
    """Connect the pair; write schema and identity when it is `fresh`, else check that they are there. Waits without a limit."""
    async with mariadb.connected(primary) as source:
        if not fresh:
            await check_identity(source, identity_key)
        if replica is not None:
            async with mariadb.connected(replica) as copy:
                await follow(copy, source, rejoining=not fresh)
            await open_writes(source)
        if fresh:
            await _write_schema(source, primary, identity_key)
            await check_identity(source, identity_key)


async def follow(copy: Server, source: Server, *, rejoining: bool = True) -> None:
    """Make a replica follow its primary and wait until both threads run. Raises ReplicationError when it cannot.

    `rejoining` is for one that holds data: it must have been a replica until now, and have no transaction of its own.
    """
    status = await copy.replica_status()
    if rejoining:
        await _require_no_errant(copy, source, status)
    if status.get("Master_Port") != source.component.port:
        await point_at(copy, source)
    elif status["Slave_IO_Running"] == "Connecting":
        # It may sleep for up to a second between two attempts.
        await copy.execute("STOP SLAVE")
    await copy.execute("START SLAVE")
    while not _runs(status := await copy.replica_status()):
        if error := status.get("Last_SQL_Error") or _fatal(status):
            raise errors.ReplicationError(f"{copy.name} does not follow {source.name}: {error}")
        await asyncio.sleep(POLL_S)


async def point_at(copy: Server, source: Server) -> None:
    """Name the primary that a replica is to follow, from the position that it has reached; nothing is started."""
    await copy.execute(
        "STOP SLAVE",
        f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={source.component.port}, MASTER_USER='{storage.DATABASE_USER}', "
        f"MASTER_CONNECT_RETRY={profile.LAB.replica_reconnect:.0f}, MASTER_HEARTBEAT_PERIOD={profile.LAB.replica_timeout / 2:.1f}, "
        "MASTER_USE_GTID=slave_pos",
    )


async def _require_no_errant(copy: Server, source: Server, status: dict[str, Any]) -> None:
    rebuild = f"It rejoins only by being rebuilt: `failwhale shard rebuild {copy.component.shard}`"
    if not status:
        raise errors.ReplicationError(f"{copy.name} is nobody's replica: it holds the data of a former primary, or half a copy. {rebuild}")
    own = gtid.errant(
        await copy.value("@@gtid_binlog_pos"), await source.value("@@gtid_binlog_state"), await source.value("@@gtid_slave_pos")
    )
    if own:
        raise errors.ReplicationError(
            f"{copy.name} holds transactions up to {', '.join(map(str, own))} that {source.name} does not have and nobody acknowledged. {rebuild}"
        )


async def open_writes(source: Server) -> None:
    """Let a primary take writes once a replica acknowledges to it; before that every commit would hang."""
    await source.execute("SET GLOBAL rpl_semi_sync_master_enabled = ON")
    await mariadb.until(source.acknowledging_replicas)
    await source.execute("SET GLOBAL read_only = OFF")


def _runs(status: dict[str, Any]) -> bool:
    return status.get("Slave_IO_Running") == "Yes" and status.get("Slave_SQL_Running") == "Yes"


def _fatal(status: dict[str, Any]) -> str:
    """Error of an I/O thread that gave up; one that still tries to connect is no error."""
    return str(status.get("Last_IO_Error") or "") if status.get("Slave_IO_Running") == "No" else ""


async def _write_schema(source: Server, primary: Component, identity_key: str) -> None:
    await source.execute(f"CREATE DATABASE IF NOT EXISTS {storage.DATABASE} CHARACTER SET utf8mb4", f"USE {storage.DATABASE}")
    for file in (storage.SCHEMAS[primary.group], "identity.sql"):
        await source.execute(*schema(file))
    await source.rows("INSERT IGNORE INTO identity VALUES (%s, %s)", primary.shard, identity_key)


async def check_identity(source: Server, identity_key: str) -> None:
    """Raises DataVanishedError when the server does not hold the shard that it should."""
    try:
        rows = await source.rows(f"SELECT shard, lab_key FROM {storage.DATABASE}.identity")  # noqa: S608 a constant name
    except MySQLError:
        rows = []
    if rows != [{"shard": source.component.shard, "lab_key": identity_key}]:
        raise errors.DataVanishedError(
            f"{source.name} does not hold the data of {source.component.shard} of this lab: its directory was emptied or replaced. "
            "Put it back, or start from nothing with `failwhale reset --yes`"
        )


def schema(file: str) -> Iterator[str]:
    """The statements of a file of `contract/schema`."""
    return statements((_SCHEMA_DIRECTORY / file).read_text())


def fingerprint() -> str:
    """Tells one version of the schema from another; comments do not count."""
    texts = (statement for file in sorted(_SCHEMA_DIRECTORY.glob("*.sql")) for statement in statements(file.read_text()))
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def statements(script: str) -> Iterator[str]:
    """The statements of an SQL file whose comments are lines of their own."""
    code = "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("--"))
    return (statement.strip() for statement in code.split(";") if statement.strip())
