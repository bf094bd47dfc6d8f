"""Talks to one MariaDB as its administrator: a connection that waits for a server that is still starting, and what replication asks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from asyncmy.cursors import DictCursor
from asyncmy.errors import MySQLError

from reference_app.contract import storage
from reference_app.contract.topology import Component
from reference_app.kit import sql

POLL_S = 0.05
ANY_PORT = 1 << 16
"""Servers have their port for an id; one above all of them is nobody's."""


class Server:
    """One connection with autocommit. What it changes is replicated unless `unlogged`."""

    def __init__(self, component: Component, connection: Any) -> None:
        self.component, self._connection = component, connection

    @property
    def name(self) -> str:
        return self.component.name

    async def rows(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        async with self._connection.cursor(DictCursor) as cursor:
            await cursor.execute(sql, parameters or None)
            return list(await cursor.fetchall())

    async def execute(self, *statements: str) -> None:
        """Statements without parameters, in order."""
        for statement in statements:
            async with self._connection.cursor() as cursor:
                await cursor.execute(statement)

    async def refuse_writes(self, patience_s: int) -> None:
        """Read-only for everybody but administrators, once commits that are under way are done. Raises MySQLError when they take longer."""
        await self.execute(f"SET SESSION lock_wait_timeout = {patience_s}", "SET GLOBAL read_only = ON")

    async def value(self, expression: str) -> Any:
        """What `SELECT expression` returns."""
        return next(iter((await self.rows(f"SELECT {expression}"))[0].values()))

    async def position(self) -> str:
        """The last transaction that it has (GTID), written or received; its binlog alone may be younger than its data."""
        return str(await self.value("@@gtid_current_pos"))

    async def replica_status(self) -> dict[str, Any]:
        """SHOW SLAVE STATUS; empty for what is nobody's replica."""
        return next(iter(await self.rows("SHOW SLAVE STATUS")), {})

    async def acknowledging_replicas(self) -> int:
        """How many replicas acknowledge to it: without one every commit hangs."""
        found = await self.rows("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_clients'")
        return int(found[0]["Value"])

    @contextlib.asynccontextmanager
    async def hurrying(self) -> AsyncIterator[None]:
        """Commits wait for no disk meanwhile: for a copy that would be made anew after a crash anyway."""
        await self.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 0", "SET GLOBAL sync_binlog = 0")
        yield
        await self.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1", "SET GLOBAL sync_binlog = 1", "FLUSH LOGS")

    @contextlib.asynccontextmanager
    async def as_a_stranger(self) -> AsyncIterator[None]:
        """It takes in what it wrote itself when it was the primary, before it was emptied: a replica leaves out what bears its own id."""
        own = int(await self.value("@@GLOBAL.server_id"))
        await self.execute(f"SET GLOBAL server_id = {own + ANY_PORT}")
        yield
        await self.execute(f"SET GLOBAL server_id = {own}")

    @contextlib.asynccontextmanager
    async def unlogged(self) -> AsyncIterator[None]:
        """What is done meanwhile stays out of the binlog."""
        await self.execute("SET SESSION sql_log_bin = 0")
        try:
            yield
        finally:
            await self.execute("SET SESSION sql_log_bin = 1")


@contextlib.asynccontextmanager
async def connected(component: Component) -> AsyncIterator[Server]:
    """A connection to the server; one that is still starting is waited for, without a limit of its own."""
    while True:
        try:
            connection = await sql.connect(component.port, user=storage.DATABASE_USER, autocommit=True)
            break
        except (MySQLError, OSError):
            await asyncio.sleep(POLL_S)
    try:
        server = Server(component, connection)
        # Notes ("table exists") would be turned into Python warnings.
        await server.execute("SET sql_notes = 0")
        yield server
    finally:
        connection.close()


async def until(condition: Callable[[], Any]) -> None:
    """Asks again and again: the server does not notify."""
    while not await condition():  # noqa: ASYNC110 the server is asked
        await asyncio.sleep(POLL_S)
