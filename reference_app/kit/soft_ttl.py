"""Soft TTL: a cached value carries the moment after which it is refreshed aside while readers go on getting it (tweetypie; RFC 5861 `stale-while-revalidate`).

The moment stands before the value, Unix milliseconds in a fixed number of digits, so that "is it past?" is one comparison of bytes. The hard
TTL is the cache server's; between the two lies the time in which a refresh may fail without anybody noticing.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
DIGITS = 13
"""Of Unix milliseconds until the year 2286."""


def stamp(unix_ms: float) -> bytes:
    """A moment as it stands before a value."""
    return b"%013d" % int(unix_ms)


def stamped(value: bytes, *, now_ms: float, ttl_s: float, jitter: float, rng: random.Random) -> bytes:
    """The value, to be refreshed after `ttl_s` +- the share `jitter`: what was filled together does not go stale together."""
    return stamp(now_ms + 1000 * ttl_s * (1 + jitter * (2 * rng.random() - 1))) + value


def postponed(stored: bytes, *, now_ms: float, by_s: float) -> bytes:
    """The same value with a later moment: who writes it has the refresh to itself for so long."""
    return stamp(now_ms + 1000 * by_s) + stored[DIGITS:]


class Refresher(Generic[K]):
    """Collects what is stale and refreshes it in the background, one batch at a time. Full means that more is dropped: it is only stale."""

    def __init__(self, refresh: Callable[[Mapping[K, bytes]], Awaitable[None]], *, gather_s: float, size: int) -> None:
        self._refresh, self._gather_s, self._size = refresh, gather_s, size
        self._stale: dict[K, bytes] = {}
        self._wake = asyncio.Event()

    def want(self, stale: Mapping[K, bytes]) -> None:
        """Refresh these, given as they are stored, within the next moments; what is already waited for counts once."""
        for key, stored in stale.items():
            if key in self._stale or len(self._stale) < self._size:
                self._stale[key] = stored
        self._wake.set()

    async def run(self) -> None:
        """Refresh until cancelled. An error leaves what it was about stale; the next reader wants it again."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(self._gather_s)
            batch, self._stale = self._stale, {}
            self._wake.clear()
            await self._refresh(batch)
