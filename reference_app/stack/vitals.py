"""What a component that answers tells about itself: replication, semi-sync, cache use, stream lag; and the host's disk and pressure.

Unknown is an empty list: the component does not answer, has no replica, or has not been given its stream yet.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import asyncmy
from asyncmy.cursors import DictCursor
from asyncmy.errors import MySQLError
from nats.aio.client import Client as NatsClient
from nats.errors import Error as NatsError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference_app.contract import metrics, storage
from reference_app.contract.topology import Component, Lab, Role
from reference_app.kit.home import Home
from reference_app.kit.roles import Roles
from reference_app.stack import questions
from reference_app.stack.readings import Reading


class Vitals:
    """Reads what one component tells about itself. This one is for components that have nothing to tell beyond their answer."""

    async def read(self) -> list[Reading]:
        """The readings that are known now."""
        return []

    async def close(self) -> None:
        """Give connections back."""


def of(component: Component, lab: Lab) -> Vitals:
    """The vitals that this component has."""
    if component.kind == "redis":
        return CacheUse(component)
    if component.kind == "nats":
        return StreamLag(component)
    if component.paired:
        return Member(component, Roles(Home(Path(lab.home)).roles_file))
    return Vitals()


class Member(Vitals):
    """A database of a pair tells what its role of the moment has to tell."""

    def __init__(self, component: Component, roles: Roles) -> None:
        self._component, self._roles = component, roles
        self._telling: dict[Role, Vitals] = {"primary": SemiSync(component), "replica": Replication(component)}

    @property
    def role(self) -> Role:
        """The role of the moment."""
        promoted = self._roles.primary_of(self._component.shard)
        if promoted is None:
            return self._component.role
        return "primary" if promoted == self._component.name else "replica"

    async def read(self) -> list[Reading]:
        return await self._telling[self.role].read()


class Replication(Vitals):
    """SHOW SLAVE STATUS of a replica."""

    def __init__(self, component: Component) -> None:
        self._component = component

    async def read(self) -> list[Reading]:
        rows = await _query(self._component.port, "SHOW SLAVE STATUS")
        return [] if rows is None else self._readings(rows[0] if rows else {})

    def _readings(self, status: dict[str, Any]) -> list[Reading]:
        labels = (self._component.name, self._component.shard)
        running = status.get("Slave_IO_Running") == "Yes" and status.get("Slave_SQL_Running") == "Yes"
        readings = [Reading(metrics.REPLICATION_RUNNING, labels, float(running))]
        lag = status.get("Seconds_Behind_Master")
        return readings if lag is None else [*readings, Reading(metrics.REPLICATION_LAG, labels, float(lag))]


class SemiSync(Vitals):
    """Whether a primary waits for its replica before it acknowledges."""

    def __init__(self, component: Component) -> None:
        self._component = component

    async def read(self) -> list[Reading]:
        rows = await _query(self._component.port, "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_status'")
        labels = (self._component.name, self._component.shard)
        return [Reading(metrics.SEMI_SYNC_ON, labels, float(row["Value"] == "ON")) for row in rows or ()]


class CacheUse(Vitals):
    """INFO stats of a Redis. Its counters restart from 0 with the process, as Prometheus expects of counters."""

    _FIELDS = ((metrics.CACHE_HITS, "keyspace_hits"), (metrics.CACHE_MISSES, "keyspace_misses"), (metrics.CACHE_EVICTIONS, "evicted_keys"))

    def __init__(self, component: Component) -> None:
        self._name = component.name
        timeout = questions.TIMEOUT_S
        self._client = Redis(host="127.0.0.1", port=component.port, socket_timeout=timeout, socket_connect_timeout=timeout)

    async def read(self) -> list[Reading]:
        try:
            async with asyncio.timeout(questions.TIMEOUT_S):
                stats = await self._client.info("stats")
        except (RedisError, OSError, TimeoutError):
            return []
        return [Reading(metric, (self._name,), float(stats[field])) for metric, field in self._FIELDS]

    async def close(self) -> None:
        await self._client.aclose()


class StreamLag(Vitals):
    """How far the fan-out is behind the stream. One connection is kept; a lost one is replaced at the next reading."""

    def __init__(self, component: Component) -> None:
        self._url = f"nats://127.0.0.1:{component.port}"
        self._client = NatsClient()

    async def read(self) -> list[Reading]:
        try:
            async with asyncio.timeout(questions.TIMEOUT_S):
                pending = await self._pending()
        except (NatsError, OSError, TimeoutError):
            return []
        return [Reading(metrics.STREAM_PENDING, (storage.FANOUT_CONSUMER,), float(pending))]

    async def close(self) -> None:
        if self._client.is_connected:
            await self._client.close()

    async def _pending(self) -> int:
        if not self._client.is_connected:
            self._client = NatsClient()
            await self._client.connect(self._url, allow_reconnect=False, error_cb=_lost)
        consumer = await self._client.jetstream().consumer_info(storage.STREAM, storage.FANOUT_CONSUMER)
        return consumer.num_pending or 0


async def _lost(_: Exception) -> None:
    """nats-py logs a traceback otherwise; that a component is sick is what the prober exports anyway."""


async def _query(port: int, sql: str) -> list[dict[str, Any]] | None:
    """The rows, or None when the server does not give them in time."""
    try:
        async with (
            asyncio.timeout(questions.TIMEOUT_S),
            asyncmy.connect(host="127.0.0.1", port=port, user=storage.DATABASE_USER) as client,
            client.cursor(DictCursor) as cursor,
        ):
            await cursor.execute(sql)
            return list(await cursor.fetchall())
    except (MySQLError, OSError, TimeoutError):
        return None


class Host(Vitals):
    """Disk space and pressure of the machine that holds the lab."""

    def __init__(self, directory: Path, pressure: Path = Path("/proc/pressure")) -> None:
        self._directory = directory
        self._pressure = pressure

    async def read(self) -> list[Reading]:
        free = Reading(metrics.DISK_FREE, (), float(shutil.disk_usage(self._directory).free))
        return [free, *(r for resource in ("cpu", "memory", "io") for r in self._some(resource))]

    def _some(self, resource: str) -> list[Reading]:
        try:
            first_line = (self._pressure / resource).read_text().splitlines()[0]
        except (OSError, IndexError):
            return []
        return [Reading(metrics.PRESSURE, (resource,), avg10(first_line) / 100)]


def avg10(line: str) -> float:
    """Percent of the last 10 s, from a line like `some avg10=0.12 avg60=0.05 avg300=0.00 total=123`."""
    return float(dict(part.split("=") for part in line.split()[1:])["avg10"])
