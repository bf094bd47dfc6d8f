"""Makes a replica follow its primary and writes schema and identity, in the one order that works.

With semi-sync a commit on a primary waits for its replica: so the replica is connected first, and everything reaches it as an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncmy
from asyncmy.cursors import DictCursor
from asyncmy.errors import MySQLError

from reference_app.contract import profile, storage
from reference_app.contract.topology import Component
from reference_app.stack import errors

_POLL_S = 0.05
_SCHEMA_DIRECTORY = Path(storage.__file__).parent / "schema"


async def establish(primary: Component, replica: Component | None, identity_key: str, *, fresh: bool) -> None:
    """Connect the pair; write schema and identity when it is `fresh`, else check that they are there. Waits without a limit."""
    async with _connected(primary) as source:
        if replica is not None:
            async with _connected(replica) as copy:
                await _follow(copy, replica, primary)
            await _acknowledging(source)
        if fresh:
            await _write_schema(source, primary, identity_key)
        await _check_identity(source, primary, identity_key)


async def follow(replica: Component, primary: Component) -> None:
    """Make a replica follow its primary and wait until both threads run. Raises ReplicationError when it cannot."""
    async with _connected(replica) as copy:
        await _follow(copy, replica, primary)


async def _follow(copy: Any, replica: Component, primary: Component) -> None:
    status = await _status(copy)
    if status is None or status["Master_Port"] != primary.port:
        await _execute(copy, "STOP SLAVE")
        await _execute(
            copy,
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={primary.port}, MASTER_USER='{storage.DATABASE_USER}', "
            f"MASTER_CONNECT_RETRY={profile.LAB.replica_reconnect:.0f}, MASTER_USE_GTID=slave_pos",
        )
    elif status["Slave_IO_Running"] == "Connecting":
        # It may sleep for up to a second between two attempts.
        await _execute(copy, "STOP SLAVE")
    await _execute(copy, "START SLAVE")
    while not _runs(status := await _status(copy) or {}):
        if error := status.get("Last_SQL_Error") or _fatal(status):
            raise errors.ReplicationError(f"{replica.name} does not follow {primary.name}: {error}")
        await asyncio.sleep(_POLL_S)


def _runs(status: dict[str, Any]) -> bool:
    return status.get("Slave_IO_Running") == "Yes" and status.get("Slave_SQL_Running") == "Yes"


def _fatal(status: dict[str, Any]) -> str:
    """Error of an I/O thread that gave up; one that still tries to connect is no error."""
    return str(status.get("Last_IO_Error") or "") if status.get("Slave_IO_Running") == "No" else ""


async def _acknowledging(source: Any) -> None:
    """Until the primary counts a replica that acknowledges; before that every commit would hang."""
    question = "SHOW GLOBAL STATUS WHERE Variable_name = 'Rpl_semi_sync_master_clients' AND Value > 0"
    while not await _rows(source, question):  # noqa: ASYNC110 the server is asked, it does not notify
        await asyncio.sleep(_POLL_S)


async def _write_schema(source: Any, primary: Component, identity_key: str) -> None:
    await _execute(source, f"CREATE DATABASE IF NOT EXISTS {storage.DATABASE} CHARACTER SET utf8mb4")
    await _execute(source, f"USE {storage.DATABASE}")
    for file in (storage.SCHEMAS[primary.group], "identity.sql"):
        for statement in statements((_SCHEMA_DIRECTORY / file).read_text()):
            await _execute(source, statement)
    await _execute(source, "INSERT IGNORE INTO identity VALUES (%s, %s)", primary.shard, identity_key)


async def _check_identity(source: Any, primary: Component, identity_key: str) -> None:
    try:
        rows = await _rows(source, f"SELECT shard, lab_key FROM {storage.DATABASE}.identity")  # noqa: S608 a constant name
    except MySQLError:
        rows = []
    if rows != [{"shard": primary.shard, "lab_key": identity_key}]:
        raise errors.DataVanishedError(
            f"{primary.name} does not hold the data of {primary.shard} of this lab: its directory was emptied or replaced. "
            "Put it back, or start from nothing with `failwhale reset --yes`"
        )


def fingerprint() -> str:
    """Tells one version of the schema from another; comments do not count."""
    texts = (statement for file in sorted(_SCHEMA_DIRECTORY.glob("*.sql")) for statement in statements(file.read_text()))
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def statements(script: str) -> Iterator[str]:
    """The statements of an SQL file whose comments are lines of their own."""
    code = "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("--"))
    return (statement.strip() for statement in code.split(";") if statement.strip())


@contextlib.asynccontextmanager
async def _connected(component: Component) -> AsyncIterator[Any]:
    """A connection with autocommit; a server that is still starting is waited for."""
    while True:
        try:
            connection = await asyncmy.connect(host="127.0.0.1", port=component.port, user=storage.DATABASE_USER, autocommit=True)
            break
        except (MySQLError, OSError):
            await asyncio.sleep(_POLL_S)
    try:
        # Notes ("table exists") would be turned into Python warnings.
        await _execute(connection, "SET sql_notes = 0")
        yield connection
    finally:
        connection.close()


async def _status(copy: Any) -> dict[str, Any] | None:
    rows = await _rows(copy, "SHOW SLAVE STATUS")
    return rows[0] if rows else None


async def _rows(connection: Any, sql: str) -> list[dict[str, Any]]:
    async with connection.cursor(DictCursor) as cursor:
        await cursor.execute(sql)
        return list(await cursor.fetchall())


async def _execute(connection: Any, sql: str, *parameters: object) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute(sql, parameters or None)
