"""The reconciler: when a shard returns, a first attempt may wake there whose retry was stored elsewhere; the later twin is tombstoned."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Sequence

from reference_app.contract import ids, metrics, storage
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.shard import Shard
from reference_app.services.tweets import domain, store
from reference_app.services.tweets.domain import KeyedId
from reference_app.services.tweets.tweet_cache import TweetCache

logger = logging.getLogger(__name__)
BATCH = 200


class Reconciler:
    """Compares the rows that were diverted within the outbox's life with all other shards."""

    def __init__(self, shards: Sequence[Shard], cache: TweetCache, *, recorder: Recorder, profile: Profile = LAB) -> None:
        self._shards, self._cache, self._recorder, self._profile = shards, cache, recorder, profile

    async def run(self) -> None:
        """Reconcile until cancelled. A shard that is away is left for the next round."""
        while True:
            for here, there in itertools.permutations(self._shards, 2):
                try:
                    await self._reconcile(here, there)
                except errors.CallError as error:
                    logger.info("reconciling %s with %s waits: %s", here.primary.peer, there.primary.peer, error)
            await asyncio.sleep(self._profile.reconcile_every)

    async def _reconcile(self, here: Shard, there: Shard) -> None:
        first = ids.first_id_at(int((time.time() - self._profile.outbox_keep) * 1000))
        diverted = await here.primary.read("find_diverted", lambda session: store.diverted_since(session, first))
        for start in range(0, len(diverted), BATCH):
            await self._tombstone_twins(diverted[start : start + BATCH], there)

    async def _tombstone_twins(self, diverted: list[KeyedId], there: Shard) -> None:
        elsewhere = await there.primary.read("find_twins", lambda session: store.with_keys(session, diverted))
        for later, earlier in domain.later_twins(diverted, elsewhere):
            await self._tombstone(later, earlier)

    async def _tombstone(self, later: int, earlier: int) -> None:
        shard = self._shards[ids.shard_of(later)]
        now_ms = time.time_ns() // 1_000_000
        if await shard.primary.write("tombstone_twin", lambda session: store.tombstone_twin(session, later, earlier, now_ms)):
            self._recorder.count(metrics.RECONCILED)
            logger.info("tweet %d is the later twin of %d: tombstoned", later, earlier)
            await self._cache.put({later: storage.DELETED_TWEET})
