"""Faults of what stores hold: caches that forget, tables that lock, replicas that stop, servers without a connection left."""

from __future__ import annotations

from typing import Any

from chaos.actions.injecting import injected, injected_each
from chaos.faults import caches
from chaos.faults.caches import FlushCache
from chaos.faults.databases import ExhaustConnections, HangWrites, LockTable, ReadOnly, SlowQueries, StopReplica, Thread

__all__ = [
    "eviction_storm", "exhaust_connections", "flush_cache", "hang_writes", "lock_table", "read_only", "slow_queries", "starve_cache", "stop_replica",
]  # fmt: skip


def flush_cache(component: str, configuration: dict[str, Any] | None = None) -> str:
    """FLUSHALL: the cache is up and cold."""
    return injected(FlushCache(component), configuration)


def eviction_storm(component: str, max_mib: int = 1, configuration: dict[str, Any] | None = None) -> str:
    """Leave the cache so little memory that keys are thrown out as fast as they come."""
    return injected_each(component, lambda home, name: caches.eviction_storm(home, name, max_mib << 20), configuration)


def starve_cache(component: str, configuration: dict[str, Any] | None = None) -> str:
    """Leave the cache no memory at all: it forgets everything and keeps nothing."""
    return injected_each(component, caches.starvation, configuration)


def lock_table(component: str, table: str = "tweets", configuration: dict[str, Any] | None = None) -> str:
    """Reads and writes of one table hang, everything else answers."""
    return injected(LockTable(component, table=table), configuration)


def slow_queries(
    component: str, table: str = "tweets", hold_ms: int = 300, pause_ms: int = 100, configuration: dict[str, Any] | None = None
) -> str:
    """Statements that touch one table wait behind one that locks it for `hold_ms`, again every `pause_ms`."""
    return injected(SlowQueries(component, table=table, hold_ms=hold_ms, pause_ms=pause_ms), configuration)


def hang_writes(component: str, configuration: dict[str, Any] | None = None) -> str:
    """Reads go on, writes and commits hang."""
    return injected(HangWrites(component), configuration)


def read_only(component: str, configuration: dict[str, Any] | None = None) -> str:
    """The primary refuses writes."""
    return injected(ReadOnly(component), configuration)


def stop_replica(component: str, thread: Thread = "sql", configuration: dict[str, Any] | None = None) -> str:
    """Stop one thread of a replica: without `sql` it lags, without `io` its primary's commits wait."""
    return injected(StopReplica(component, thread=thread), configuration)


def exhaust_connections(component: str, cut_open: bool = False, configuration: dict[str, Any] | None = None) -> str:  # noqa: FBT001, FBT002 - the toolkit lists no others
    """Take every connection that the database allows; with `cut_open` also those that the app has open."""
    return injected(ExhaustConnections(component, cut_open=cut_open), configuration)
