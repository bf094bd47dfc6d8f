"""The tweet caches: look-aside, with a jittered hard TTL."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
import sys
from collections.abc import Sequence

from redis.asyncio import Redis

from reference_app.contract import metrics, storage
from reference_app.contract.profile import LAB, Profile
from reference_app.contract.topology import Component
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.breaker import Breaker
from reference_app.kit.cache import Cache
from reference_app.kit.deciders import Deciders
from reference_app.kit.ring import Ring

TTL_JITTER = 0.1
NEVER_OPENS = dataclasses.replace(LAB, breaker_failures=sys.maxsize)
MARKER_TTLS = 6
"""A marker outlives, by far, whoever read the row before the deletion and still means to fill the cache with it."""


def marker_clients(components: Sequence[Component], recorder: Recorder) -> dict[str, Cache]:
    """Clients without breaker: a marker has to land as soon as its cache is back, not when a breaker lets a call through again."""
    return {c.name: Cache(c, observe=recorder.db_client, breaker=Breaker(profile=NEVER_OPENS)) for c in components}


class TweetCache:
    """The tweet caches. A cache that fails is a miss for reads and is not written back to (tweetypie: read store, do not write back).

    A value never changes until the tweet is deleted, so fills only ever add (SET NX) and the marker of a deletion is set plainly: in whatever
    order a late fill and the marker arrive, the marker is what stays. That holds for fills from a replica too, which may be some
    milliseconds behind its primary.
    """

    def __init__(
        self, caches: dict[str, Cache], markers: dict[str, Cache], *, deciders: Deciders, recorder: Recorder, profile: Profile = LAB
    ) -> None:
        self._caches, self._markers, self._ring = caches, markers, Ring(list(caches))
        self._deciders, self._recorder, self._profile, self._rng = deciders, recorder, profile, random.Random()

    async def get(self, tweet_ids: Sequence[int]) -> dict[int, bytes]:
        """Cached values by id."""
        if not self._deciders.on("tweet_cache"):
            return {}
        found: dict[int, bytes] = {}
        for name, group in self._by_node(tweet_ids).items():
            found |= await self._get_from(self._caches[name], group)
        self._recorder.count(metrics.CACHE_READS, "tweet", "hit", by=len(found))
        self._recorder.count(metrics.CACHE_READS, "tweet", "miss", by=len(tweet_ids) - len(found))
        return found

    async def put(self, values: dict[int, bytes]) -> None:
        """Fill with what the databases said, for the profile's TTL +-10 %; best effort."""
        if not self._deciders.on("tweet_cache"):
            return
        for name, group in self._by_node(list(values)).items():
            await self._put_to(self._caches[name], {tweet_id: values[tweet_id] for tweet_id in group})

    async def mark_deleted(self, tweet_ids: Sequence[int]) -> bool:
        """Put the marker of a deletion over whatever is there. False when some cache did not take it."""
        groups = self._by_node(tweet_ids).items()
        return all(await asyncio.gather(*(self._mark(self._markers[name], group) for name, group in groups)))

    async def _mark(self, cache: Cache, tweet_ids: Sequence[int]) -> bool:
        ttl_ms = int(self._profile.tweet_cache_ttl * MARKER_TTLS * 1000)

        async def pipeline(client: Redis) -> None:
            pipe = client.pipeline(transaction=False)
            for tweet_id in tweet_ids:
                pipe.set(storage.tweet_key(tweet_id), storage.DELETED_TWEET, px=ttl_ms)
            await pipe.execute()

        try:
            await cache.run("MARK", pipeline)
        except (errors.CallError, errors.AppError):  # the latter when the request that deletes has no time left
            return False
        return True

    async def _get_from(self, cache: Cache, tweet_ids: Sequence[int]) -> dict[int, bytes]:
        try:
            values = await cache.run("MGET", lambda client: client.mget([storage.tweet_key(i) for i in tweet_ids]))
        except errors.CallError:
            return {}
        return {tweet_id: value for tweet_id, value in zip(tweet_ids, values, strict=True) if isinstance(value, bytes)}

    async def _put_to(self, cache: Cache, values: dict[int, bytes]) -> None:
        ttl_ms = self._profile.tweet_cache_ttl * 1000
        with contextlib.suppress(errors.CallError):
            await cache.run("SET", lambda client: self._pipeline(client, values, ttl_ms))

    async def _pipeline(self, client: Redis, values: dict[int, bytes], ttl_ms: float) -> None:
        pipe = client.pipeline(transaction=False)
        for tweet_id, value in values.items():
            jitter = 1 + TTL_JITTER * (2 * self._rng.random() - 1)
            pipe.set(storage.tweet_key(tweet_id), value, px=int(ttl_ms * jitter), nx=True)
        await pipe.execute()

    def _by_node(self, tweet_ids: Sequence[int]) -> dict[str, list[int]]:
        groups: dict[str, list[int]] = {}
        for tweet_id in tweet_ids:
            groups.setdefault(self._ring.node_of(tweet_id), []).append(tweet_id)
        return groups
