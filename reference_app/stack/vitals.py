"""What a component that answers tells about itself beyond its answer: databases (database_vitals), cache use, stream lag.

Unknown is an empty list: the component does not answer, has no replica, or has not been given its stream yet.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from nats.aio.client import Client as NatsClient
from nats.errors import Error as NatsError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference_app.contract import metrics, storage
from reference_app.contract.topology import Component, Lab
from reference_app.kit.home import Home
from reference_app.kit.roles import Roles
from reference_app.stack import questions
from reference_app.stack.database_vitals import Database
from reference_app.stack.readings import Reading


class Telling(Protocol):
    """Reads what one component tells about itself."""

    async def read(self) -> list[Reading]:
        """The readings that are known now."""

    async def close(self) -> None:
        """Give connections back."""


class Vitals:
    """For components that have nothing to tell beyond their answer."""

    async def read(self) -> list[Reading]:
        """The readings that are known now."""
        return []

    async def close(self) -> None:
        """Give connections back."""


def of(component: Component, lab: Lab) -> Telling:
    """The vitals that this component has."""
    if component.kind == "redis":
        return CacheUse(component)
    if component.kind == "nats":
        return StreamLag(component)
    if component.kind == "mariadb":
        return Database(component, Roles(Home(Path(lab.home)).roles_file))
    return Vitals()


class CacheUse(Vitals):
    """INFO of a Redis. Its counters restart from 0 with the process, as Prometheus expects of counters."""

    _COUNTERS = (
        (metrics.CACHE_HITS, "keyspace_hits"),
        (metrics.CACHE_MISSES, "keyspace_misses"),
        (metrics.CACHE_EVICTIONS, "evicted_keys"),
    )
    _SHARES = ((metrics.CONNECTIONS, "connected_clients", "maxclients"), (metrics.CACHE_MEMORY, "used_memory", "maxmemory"))

    def __init__(self, component: Component) -> None:
        self._name = component.name
        timeout = questions.TIMEOUT_S
        self._client = Redis(host="127.0.0.1", port=component.port, socket_timeout=timeout, socket_connect_timeout=timeout)

    async def read(self) -> list[Reading]:
        try:
            async with asyncio.timeout(questions.TIMEOUT_S):
                told = await self._client.info("stats", "clients", "memory")
        except (RedisError, OSError, TimeoutError):
            return []
        counted = [Reading(metric, (self._name,), float(told[field])) for metric, field in self._COUNTERS]
        return counted + [Reading(m, (self._name,), told[part] / told[whole]) for m, part, whole in self._SHARES if told.get(whole)]

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
                pending, unacknowledged = await self._backlog()
        except (NatsError, OSError, TimeoutError):
            return []
        consumer = (storage.FANOUT_CONSUMER,)
        return [Reading(metrics.STREAM_PENDING, consumer, pending), Reading(metrics.STREAM_UNACKNOWLEDGED, consumer, unacknowledged)]

    async def close(self) -> None:
        if self._client.is_connected:
            await self._client.close()

    async def _backlog(self) -> tuple[float, float]:
        if not self._client.is_connected:
            self._client = NatsClient()
            await self._client.connect(self._url, allow_reconnect=False, error_cb=_lost)
        consumer = await self._client.jetstream().consumer_info(storage.STREAM, storage.FANOUT_CONSUMER)
        return float(consumer.num_pending or 0), float(consumer.num_ack_pending or 0)


async def _lost(_: Exception) -> None:
    """nats-py logs a traceback otherwise; that a component is sick is what the prober exports anyway."""
