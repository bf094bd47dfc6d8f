"""The tweet caches: look-aside, with a jittered hard TTL."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence

from redis.asyncio import Redis

from reference_app.contract import metrics, storage
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.cache import Cache
from reference_app.kit.deciders import Deciders
from reference_app.kit.ring import Ring

TTL_JITTER = 0.1


class TweetCache:
    """The tweet caches. A cache that fails is a miss for reads and is not written back to (tweetypie: read store, do not write back)."""

    def __init__(self, caches: dict[str, Cache], *, deciders: Deciders, recorder: Recorder, profile: Profile = LAB) -> None:
        self._caches, self._ring = caches, Ring(list(caches))
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
        """Store for the profile's TTL +-10 %; best effort."""
        if not self._deciders.on("tweet_cache"):
            return
        for name, group in self._by_node(list(values)).items():
            await self._put_to(self._caches[name], {tweet_id: values[tweet_id] for tweet_id in group})

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
            pipe.set(storage.tweet_key(tweet_id), value, px=int(ttl_ms * jitter))
        await pipe.execute()

    def _by_node(self, tweet_ids: Sequence[int]) -> dict[str, list[int]]:
        groups: dict[str, list[int]] = {}
        for tweet_id in tweet_ids:
            groups.setdefault(self._ring.node_of(tweet_id), []).append(tweet_id)
        return groups
