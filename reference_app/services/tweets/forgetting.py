"""Deleted tweets are marked in the caches, again and again until a cache that is away is back: nobody may read them there 5 s after the 204."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from reference_app.services.tweets.tweet_cache import TweetCache

RETRY_SECONDS = 0.25


class Forgetting:
    """Retries end after twice the TTL of a cached tweet: whatever was in a cache before has expired by then.

    The relay names each deletion that it publishes, so that one whose process died after the commit is marked by whoever publishes it.
    """

    def __init__(self, cache: TweetCache, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._cache, self._monotonic = cache, monotonic
        self._waiting: dict[int, float] = {}

    @property
    def waiting(self) -> int:
        """Deletions that some cache has not taken yet."""
        return len(self._waiting)

    async def mark(self, tweet_ids: Sequence[int]) -> None:
        """Mark now, and later what could not be marked."""
        if not await self._cache.mark_deleted(tweet_ids):
            self.remember(tweet_ids)

    def remember(self, tweet_ids: Sequence[int]) -> None:
        """Mark within the next moments."""
        give_up_at = self._monotonic() + 2 * self._cache.ttl_s
        for tweet_id in tweet_ids:
            self._waiting.setdefault(tweet_id, give_up_at)

    async def run(self) -> None:
        """Retry until cancelled."""
        while True:
            await self.retry()
            await asyncio.sleep(RETRY_SECONDS)

    async def retry(self) -> None:
        """One more attempt for whatever waits."""
        tried = list(self._waiting)
        if not tried:
            return
        marked, now = await self._cache.mark_deleted(tried), self._monotonic()
        for tweet_id in tried:
            if marked or now >= self._waiting[tweet_id]:
                del self._waiting[tweet_id]
