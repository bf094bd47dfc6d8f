"""What a change of the celebrity threshold means for the lists that exist.

Lower: authors who became celebrities are merged at read from now on; what was pushed of theirs stays, and an id is shown once.
Higher: lists lack what authors between the two values posted under the lower one, so every cache's lists are rebuilt at their next read.
A threshold of 0, which merges everybody, is treated like one of 1 here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reference_app.contract import storage
from reference_app.kit import deciders, errors
from reference_app.kit.cache import Cache, Script

logger = logging.getLogger(__name__)
REPEAT_SECONDS = 5.0
"""A cache that lost its content, or did not answer, is told again after that."""


@dataclass
class _Cache:
    """What one cache was told, was last to be told, and from when on it is to be told again."""

    told: int = 0
    asked: int = 0
    due_at: float = float("-inf")


class Threshold:
    """Tells each cache the value of the decider: when it changes, and again because the cache may have been emptied."""

    def __init__(self, caches: Mapping[str, Cache], values: deciders.Deciders, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._caches, self._values, self._monotonic = caches, values, monotonic
        self._script = Script(storage.script("threshold"), storage.TIMELINE_EPOCH_KEY)
        self._states = {name: _Cache() for name in caches}

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            await self.tell()
            await asyncio.sleep(deciders.POLL_SECONDS)

    async def tell(self) -> None:
        """Tell the caches that are due."""
        threshold, now = max(1, self._values.value("celebrity_followers")), self._monotonic()
        for name, state in self._states.items():
            if threshold != state.asked or now >= state.due_at:
                state.asked, state.due_at = threshold, now + REPEAT_SECONDS
                await self._tell(self._caches[name], state)

    async def _tell(self, cache: Cache, state: _Cache) -> None:
        try:
            rebuilt = await cache.script("threshold", self._script, [state.asked, state.told])
        except errors.CallError as error:
            logger.info("%s was not told the celebrity threshold: %s", cache.peer, error)
            return
        state.told = state.asked
        if rebuilt:
            logger.warning("%s: the celebrity threshold rose to %d, its lists will be rebuilt", cache.peer, state.told)
