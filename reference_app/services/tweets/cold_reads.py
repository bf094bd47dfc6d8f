"""Reads of tweets that no cache has: once per tweet for all who wait, in few batches, by one reader of all processes, filled so that deletions win.

Each protection is a decider of its own; with all of them off every request asks the shards for itself, which is what a store behind caches
does not survive when they are suddenly cold (docs/cache-truth.md).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Collection, Mapping, Sequence

import msgspec

from reference_app.contract import api, ids, metrics, storage
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.deciders import Deciders
from reference_app.kit.gathering import Gathering
from reference_app.kit.shard import Shard
from reference_app.kit.single_flight import SharedFlights
from reference_app.kit.soft_ttl import Refresher
from reference_app.services.tweets import store
from reference_app.services.tweets.domain import StoredTweet
from reference_app.services.tweets.simulated_cold_store import SimulatedColdStore
from reference_app.services.tweets.tweet_cache import TweetCache

LEASE_POLL_SECONDS = 0.02
REFRESH_GATHER_SECONDS, REFRESHES_WAITING = 0.05, 2000


class ColdReads:
    """What comes back are JSON, DELETED_TWEET or NO_TWEET by id; ids are missing whose shard did not answer."""

    def __init__(
        self,
        shards: Sequence[Shard],
        cache: TweetCache,
        simulated: SimulatedColdStore,
        *,
        deciders: Deciders,
        recorder: Recorder,
        profile: Profile = LAB,
    ) -> None:
        self._shards, self._cache, self._simulated = shards, cache, simulated
        self._deciders, self._recorder, self._profile = deciders, recorder, profile
        self._flights: SharedFlights[int, bytes] = SharedFlights()
        # As many batches as open a breaker: a shard that hangs is found out in one timeout, as if every request asked it.
        self._gatherings: list[Gathering[int, bytes]] = [
            Gathering(functools.partial(self._read, shard), lanes=profile.breaker_failures, size=api.MULTIGET_MAX) for shard in shards
        ]
        self._refresher: Refresher[int] = Refresher(self._refresh, gather_s=REFRESH_GATHER_SECONDS, size=REFRESHES_WAITING)

    def refresh_soon(self, stale: Mapping[int, bytes]) -> None:
        """Refresh, aside, what a reader found past its soft TTL."""
        if self._deciders.on("soft_ttl"):
            self._refresher.want(stale)

    async def run(self) -> None:
        """Refresh until cancelled."""
        await self._refresher.run()

    async def values(self, tweet_ids: Sequence[int]) -> dict[int, bytes]:
        """Read and fill, or wait for who does."""
        if self._deciders.on("cold_single_flight"):
            return await self._flights.run(tweet_ids, self._claimed)
        return await self._claimed(tweet_ids)

    async def _claimed(self, tweet_ids: Sequence[int]) -> dict[int, bytes]:
        try:
            expected, values, held = await self._cache.claim(tweet_ids)
        except errors.AppError:  # who came first has no time left; who waits with it is told that nothing is known
            return {}
        mine = [tweet_id for tweet_id in tweet_ids if tweet_id not in values and tweet_id not in held]
        read, awaited = await asyncio.gather(self._filled(mine, expected), self._awaited(held))
        return values | read | awaited

    async def _filled(self, tweet_ids: Sequence[int], expected: Mapping[int, bytes]) -> dict[int, bytes]:
        values = await self._from_shards(tweet_ids)
        with contextlib.suppress(errors.AppError):
            await self._cache.put(values, expected)
        return values

    async def _awaited(self, held: Collection[int]) -> dict[int, bytes]:
        """What the holders of leases filled; what they do not fill in time, or give up, is read and not filled."""
        values: dict[int, bytes] = {}
        for _ in range(round(self._profile.cache_lease_wait / LEASE_POLL_SECONDS)):
            if not held:
                break
            await asyncio.sleep(LEASE_POLL_SECONDS)
            try:
                found = await self._cache.look(held)
            except errors.AppError:  # as above
                return values
            values |= found.values
            held = [tweet_id for tweet_id in held if tweet_id not in values]
            if len(found.held) < len(held):
                break
        return values | await self._from_shards(held)

    async def _refresh(self, stale: Mapping[int, bytes]) -> None:
        expected = await self._cache.postpone(stale)
        values = await self._from_shards(list(expected))
        await self._cache.put(values, {tweet_id: expected[tweet_id] for tweet_id in values})

    async def _from_shards(self, tweet_ids: Collection[int]) -> dict[int, bytes]:
        groups: dict[int, list[int]] = {}
        for tweet_id in tweet_ids:
            groups.setdefault(ids.shard_of(tweet_id), []).append(tweet_id)
        values: dict[int, bytes] = {}
        for part in await asyncio.gather(*(self._from_shard(index, group) for index, group in groups.items())):
            values |= part
        return values

    async def _from_shard(self, index: int, tweet_ids: list[int]) -> Mapping[int, bytes]:
        if index >= len(self._shards):
            return dict.fromkeys(tweet_ids, storage.NO_TWEET)
        if self._deciders.on("cold_gathering"):
            return await self._gatherings[index].get(tweet_ids)
        return await self._read(self._shards[index], tweet_ids)

    async def _read(self, shard: Shard, tweet_ids: list[int]) -> dict[int, bytes]:
        try:
            rows, of_primary = await self._simulated.run(lambda: shard.read("get_tweets", lambda session: store.by_ids(session, tweet_ids)))
        except (errors.CallError, errors.AppError):  # the latter when a batch's last request has no time left
            self._recorder.count(metrics.COLD_BATCHES, "failed")
            return {}
        self._recorder.count(metrics.COLD_BATCHES, "served")
        values = {row.tweet.id: _encoded(row) for row in rows}
        if of_primary and len(values) < len(tweet_ids):
            self._recorder.count(metrics.ROWS_MISSING, shard.primary.peer, by=len(tweet_ids) - len(values))
        # A replica may lag: only the primary's silence means that there is no such tweet.
        return dict.fromkeys(tweet_ids, storage.NO_TWEET) | values if of_primary else values


def _encoded(row: StoredTweet) -> bytes:
    return storage.DELETED_TWEET if row.deleted else msgspec.json.encode(row.tweet)
