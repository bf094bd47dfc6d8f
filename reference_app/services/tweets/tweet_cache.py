"""The tweet caches: look-aside, with hot tweets in the process, a soft and a hard TTL, lease-gets, and fills that a deletion makes void."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from reference_app.contract import ids, metrics, storage
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import lease_gets, negative, soft_ttl
from reference_app.kit.deciders import Deciders
from reference_app.kit.hot_keys import HotKeys
from reference_app.kit.lease_gets import Swap
from reference_app.services.tweets.cache_nodes import CacheNodes, Entry

TTL_JITTER = 0.1
MARKER_TTLS = 6
"""A marker outlives, by far, whoever read the row before the deletion and still means to fill the cache with it."""
HOT_TWEETS = 1000
ABSENT = b""
"""Expected by a reader who fills without a lease: nothing."""
_BEYOND_STAMPS = b":"
"""The byte after the digits. What sorts below it begins with the moment of a soft TTL; all else is a marker or a token."""


class LookUp(NamedTuple):
    """`values` are JSON of a tweet, DELETED_TWEET or NO_TWEET, which `absent` lists; `stale` those past their soft TTL, as they are stored;
    `held` are filled by others.
    """

    values: dict[int, bytes]
    stale: dict[int, bytes]
    absent: list[int]
    held: list[int]


class Claims(NamedTuple):
    """What a reader who missed may do: fill what is `expected` to lie there, take `values` that came meanwhile, wait for what others hold.

    What is in none of the three is to be read and not to be filled: its cache failed.
    """

    expected: dict[int, bytes]
    values: dict[int, bytes]
    held: list[int]


class TweetCache:
    """The tweet caches. A cache that fails is a miss for reads and is not written back to (tweetypie: read store, do not write back).

    A value never changes until the tweet is deleted. A fill either adds where nothing is (SET NX) or replaces exactly what its reader found, a
    token or a stale value; the marker of a deletion is set plainly. In whatever order a late fill and the marker arrive, the marker stays. That
    holds for fills from a replica too, which may be some milliseconds behind its primary; and, with a lease, where the marker was evicted.
    """

    def __init__(
        self,
        nodes: CacheNodes,
        *,
        deciders: Deciders,
        recorder: Recorder,
        profile: Profile = LAB,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._nodes, self._deciders, self._recorder, self._profile = nodes, deciders, recorder, profile
        self._clock, self._rng = clock, random.Random()
        self._hot: HotKeys[int, bytes] = HotKeys(
            per_s=profile.hot_key_reads, ttl_s=profile.hot_key_ttl, size=HOT_TWEETS, monotonic=monotonic
        )

    @property
    def ttl_s(self) -> float:
        """Seconds for which a tweet is kept when nothing refreshes it."""
        return self._deciders.value("tweet_cache_ttl")

    async def get(self, tweet_ids: Sequence[int]) -> LookUp:
        """What the process itself and the caches have; what is missing is cold."""
        if not self._deciders.on("tweet_cache"):
            return LookUp({}, {}, [], [])
        hot = self._hot.get(tweet_ids) if self._deciders.on("hot_keys") else {}
        asked = [tweet_id for tweet_id in tweet_ids if tweet_id not in hot] if hot else tweet_ids
        found = await self.look(asked)
        self._count(found, asked=len(asked), hot=len(hot))
        if not found.absent:
            self._hot.offer(found.values)
        return found._replace(values=hot | found.values) if hot else found

    async def look(self, tweet_ids: Collection[int]) -> LookUp:
        """What the caches have; nothing is counted."""
        return _sorted(await self._nodes.get(tweet_ids), soft_ttl.stamp(1000 * self._clock()))

    async def claim(self, tweet_ids: Collection[int]) -> Claims:
        """The right to fill, of what nobody else fills."""
        if not self._deciders.on("tweet_cache"):
            return Claims({}, {}, [])
        if not self._deciders.on("lease_gets"):
            return Claims(dict.fromkeys(tweet_ids, ABSENT), {}, [])
        claims = await self._nodes.claim(tweet_ids, ttl_ms=int(1000 * self._profile.cache_lease))
        granted = {tweet_id: token for tweet_id, (token, there) in claims.items() if there is None}
        found = _sorted({tweet_id: there for tweet_id, (_, there) in claims.items() if there is not None}, b"")
        self._recorder.count(metrics.CACHE_LEASES, "granted", by=len(granted))
        self._recorder.count(metrics.CACHE_LEASES, "waited", by=len(found.held))
        return Claims(granted, found.values, found.held)

    async def postpone(self, stale: Mapping[int, bytes]) -> dict[int, bytes]:
        """The right to refresh, for as long as a lease, of what is still as it was read; and as it is to be expected then."""
        now_ms = 1000 * self._clock()
        later = {key: soft_ttl.postponed(value, now_ms=now_ms, by_s=self._profile.cache_lease) for key, value in stale.items()}
        done = await self._nodes.swap({key: Swap(storage.tweet_key(key), stale[key], value, 0) for key, value in later.items()})
        return {tweet_id: later[tweet_id] for tweet_id, swapped in done.items() if swapped}

    async def put(self, values: Mapping[int, bytes], expected: Mapping[int, bytes]) -> None:
        """Fill what is still as expected with what the databases said, and give up what was claimed of the rest. Best effort."""
        entries = {tweet_id: self._entry(tweet_id, values.get(tweet_id, b"")) for tweet_id in expected}
        additions = {key: entry for key, entry in entries.items() if expected[key] == ABSENT and entry[0]}
        swaps = {key: Swap(storage.tweet_key(key), expected[key], *entry) for key, entry in entries.items() if expected[key] != ABSENT}
        await self._nodes.add(additions)
        done = await self._nodes.swap(swaps)
        self._recorder.count(metrics.CACHE_LEASES, "refused", by=sum(not swapped for key, swapped in done.items() if swaps[key].value))

    async def mark_deleted(self, tweet_ids: Sequence[int]) -> bool:
        """Put the marker of a deletion over whatever is there. False when some cache did not take it."""
        self._hot.drop(tweet_ids)
        return await self._nodes.mark(dict.fromkeys(tweet_ids, (storage.DELETED_TWEET, int(self.ttl_s * MARKER_TTLS * 1000))))

    def _entry(self, tweet_id: int, value: bytes) -> Entry:
        """As it is stored, and the milliseconds for which. An empty value is not stored."""
        if value == storage.NO_TWEET:
            age_s = self._clock() - ids.unix_ms_of(tweet_id) / 1000
            return (value, int(1000 * negative.ttl_s(age_s, self._profile))) if self._deciders.on("negative_cache") else (b"", 0)
        ttl_s = self.ttl_s
        ttl_ms = int(1000 * ttl_s * (1 + TTL_JITTER * (2 * self._rng.random() - 1)))
        if value in (b"", storage.DELETED_TWEET):
            return value, ttl_ms
        soft_s = ttl_s * self._profile.tweet_cache_soft_ttl / self._profile.tweet_cache_ttl
        return soft_ttl.stamped(value, now_ms=1000 * self._clock(), ttl_s=soft_s, jitter=TTL_JITTER, rng=self._rng), ttl_ms

    def _count(self, found: LookUp, *, asked: int, hot: int) -> None:
        hits = len(found.values)
        self._recorder.count(metrics.CACHE_READS, "tweet", "hit", by=hits)
        self._recorder.count(metrics.CACHE_READS, "tweet", "miss", by=asked - hits)
        self._recorder.count(metrics.HOT_KEYS_SERVED, by=hot)
        self._recorder.count(metrics.CACHE_STALE, by=len(found.stale))
        self._recorder.count(metrics.CACHE_NEGATIVE_HITS, by=len(found.absent))


def _sorted(stored: Mapping[int, bytes], now: bytes) -> LookUp:
    """Values without their moments; stale is whose moment is before `now`."""
    found = LookUp({}, {}, [], [])
    for tweet_id, value in stored.items():
        if value < _BEYOND_STAMPS:
            found.values[tweet_id] = value[soft_ttl.DIGITS :]
            if value < now:
                found.stale[tweet_id] = value
        elif value.startswith(lease_gets.PREFIX):
            found.held.append(tweet_id)
        else:
            found.values[tweet_id] = value
            if value == storage.NO_TWEET:
                found.absent.append(tweet_id)
    return found
