"""What a database that answers tells about itself: connections, clock, whether it takes writes, and replication by its role of the moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from asyncmy.cursors import DictCursor
from asyncmy.errors import MySQLError

from reference_app.contract import metrics, storage
from reference_app.contract.topology import Component, Role
from reference_app.kit import sql
from reference_app.kit.roles import Roles
from reference_app.stack import questions
from reference_app.stack.readings import Reading

_ITSELF = (
    "SELECT @@max_connections AS most, @@read_only AS read_only, UNIX_TIMESTAMP(NOW(6)) AS clock, VARIABLE_VALUE AS connections"
    " FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'THREADS_CONNECTED'"
)
_AS_REPLICA = "SHOW SLAVE STATUS"
_AS_PRIMARY = "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_status'"


class Database:
    """Asks one database over one connection a reading; a member of a pair has more to tell than one that is alone."""

    def __init__(self, component: Component, roles: Roles) -> None:
        self._component, self._roles = component, roles

    @property
    def role(self) -> Role:
        """The role of the moment."""
        promoted = self._roles.primary_of(self._component.shard) if self._component.paired else None
        if promoted is None:
            return self._component.role
        return "primary" if promoted == self._component.name else "replica"

    async def read(self) -> list[Reading]:
        """Nothing when it does not answer in time."""
        role, asked_at = self.role, time.time()
        answers = await _query(self._component.port, _ITSELF, *self._about_replication(role))
        if answers is None:
            return []
        between = (asked_at + time.time()) / 2
        return [*self._itself(answers[0][0], role, between), *(r for rows in answers[1:] for r in self._replicating(rows, role))]

    async def close(self) -> None:
        """Nothing is kept."""

    def _about_replication(self, role: Role) -> tuple[str, ...]:
        if not self._component.paired:
            return ()
        return (_AS_REPLICA,) if role == "replica" else (_AS_PRIMARY,)

    def _itself(self, row: dict[str, Any], role: Role, now: float) -> Iterator[Reading]:
        name = self._component.name
        yield Reading(metrics.CONNECTIONS, (name,), float(row["connections"]) / float(row["most"]))
        yield Reading(metrics.CLOCK_OFFSET, (name,), float(row["clock"]) - now)
        if role == "primary":
            yield Reading(metrics.PRIMARY_READ_ONLY, (name, self._component.shard), float(row["read_only"]))

    def _replicating(self, rows: list[dict[str, Any]], role: Role) -> Iterator[Reading]:
        labels = (self._component.name, self._component.shard)
        if role == "primary":
            yield from (Reading(metrics.SEMI_SYNC_ON, labels, float(row["Value"] == "ON")) for row in rows)
            return
        status = rows[0] if rows else {}
        running = status.get("Slave_IO_Running") == "Yes" and status.get("Slave_SQL_Running") == "Yes"
        yield Reading(metrics.REPLICATION_RUNNING, labels, float(running))
        lag = status.get("Seconds_Behind_Master")
        if lag is not None:
            yield Reading(metrics.REPLICATION_LAG, labels, float(lag))


async def _query(port: int, *statements: str) -> list[list[dict[str, Any]]] | None:
    """The rows of each statement, or None when the server does not give them in time."""
    try:
        async with (
            asyncio.timeout(questions.TIMEOUT_S),
            await sql.connect(port, user=storage.DATABASE_USER) as client,
            client.cursor(DictCursor) as cursor,
        ):
            answers = []
            for statement in statements:
                await cursor.execute(statement)
                answers.append(list(await cursor.fetchall()))
            return answers
    except (MySQLError, OSError, TimeoutError):
        return None
