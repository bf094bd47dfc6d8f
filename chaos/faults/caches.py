"""Faults of the caches' content: everything forgotten at once, and memory so short that what is kept is thrown out again."""

from __future__ import annotations

from typing import ClassVar

import redis

from chaos.faults.base import NotApplicableError, OnComponent
from reference_app.kit.home import Home

ANSWER_SECONDS = 2.0
SMALLEST_BYTES = 1 << 20
"""Redis itself needs most of that."""


class _OfCache(OnComponent, frozen=True):
    engine: ClassVar[str] = "redis commands"

    def check(self, home: Home) -> None:
        super().check(home)
        if (kind := home.lab().component(self.component).kind) != "redis":
            raise NotApplicableError(f"{self.component} is a {kind} and no cache")

    def _client(self, home: Home) -> redis.Redis:
        return redis.Redis(port=home.lab().component(self.component).port, socket_timeout=ANSWER_SECONDS)


class FlushCache(_OfCache, frozen=True, tag="flush_cache"):
    """FLUSHALL: the cache is up and cold. It is in force at once and over at once; what follows is the refilling."""

    momentary: ClassVar[bool] = True

    def apply(self, home: Home) -> None:
        if not self.sham:
            with self._client(home) as client:
                client.flushall()

    def undo(self, home: Home) -> None:
        """What was forgotten comes back by being read."""

    def in_effect(self, home: Home) -> bool:  # noqa: ARG002
        return False

    def measured(self, home: Home) -> dict[str, float]:
        """How often the cache was emptied since it was started, and keys that it has again."""
        with self._client(home) as client:
            emptied = client.info("commandstats").get("cmdstat_flushall", {"calls": 0})
            return {"flushes_total": float(emptied["calls"]), "keys": float(client.dbsize())}


class EvictionStorm(_OfCache, frozen=True, tag="eviction_storm"):
    """maxmemory far below what is kept: with an eviction policy keys go as fast as they come, without one writes are refused."""

    max_bytes: int = SMALLEST_BYTES
    former_bytes: int = 0

    def check(self, home: Home) -> None:
        if self.max_bytes < SMALLEST_BYTES:
            raise NotApplicableError(f"max_bytes is {self.max_bytes}: it has to be {SMALLEST_BYTES} or more")
        super().check(home)

    def apply(self, home: Home) -> None:
        if not self.sham:
            self._limit(home, self.max_bytes)

    def undo(self, home: Home) -> None:
        self._limit(home, self.former_bytes)

    def in_effect(self, home: Home) -> bool:
        with self._client(home) as client:
            return int(client.config_get("maxmemory")["maxmemory"]) == self.max_bytes

    def measured(self, home: Home) -> dict[str, float]:
        """Keys evicted since the cache was started."""
        with self._client(home) as client:
            return {"evicted_keys_total": int(client.info("stats")["evicted_keys"])}

    def _limit(self, home: Home, limit: int) -> None:
        with self._client(home) as client:
            client.config_set("maxmemory", limit)


class StarveCache(EvictionStorm, frozen=True, tag="starve_cache"):
    """One byte of maxmemory: it forgets everything at once, and keeps nothing that it is given."""

    max_bytes: int = 1

    def check(self, home: Home) -> None:
        _OfCache.check(self, home)


def starvation(home: Home, component: str) -> StarveCache:
    """From the limit in force now. Raises NotApplicableError."""
    asked = StarveCache(component)
    asked.check(home)
    return StarveCache(component, former_bytes=_limit_of(home, asked))


def eviction_storm(home: Home, component: str, max_bytes: int) -> EvictionStorm:
    """The storm from the limit in force now. Raises NotApplicableError."""
    asked = EvictionStorm(component, max_bytes=max_bytes)
    asked.check(home)
    return EvictionStorm(component, max_bytes=max_bytes, former_bytes=_limit_of(home, asked))


def _limit_of(home: Home, cache: _OfCache) -> int:
    with cache._client(home) as client:  # noqa: SLF001 - its own factory
        return int(client.config_get("maxmemory")["maxmemory"])
