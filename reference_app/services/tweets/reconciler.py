"""The reconciler: when a shard returns, a first attempt may wake there whose retry was stored elsewhere; one of the twins is tombstoned."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Sequence

from reference_app.contract import ids, metrics
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.shard import Shard
from reference_app.services.tweets import domain, store
from reference_app.services.tweets.domain import KeyedId
from reference_app.services.tweets.forgetting import Forgetting

logger = logging.getLogger(__name__)
BATCH = 200


class Reconciler:
    """Compares the rows that were diverted within the outbox's life with all other shards."""

    def __init__(self, shards: Sequence[Shard], forgetting: Forgetting, *, recorder: Recorder, profile: Profile = LAB) -> None:
        self._shards, self._forgetting, self._recorder, self._profile = shards, forgetting, recorder, profile

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
        for going, survivor in domain.twins_to_tombstone(diverted, elsewhere):
            await self._tombstone(going, survivor.id)

    async def _tombstone(self, going: KeyedId, survivor: int) -> None:
        """The next round decides anew while the survivor is on one disk only, which may lose it, and when the author deleted what goes meanwhile."""
        home, shard, twin = self._shards[ids.shard_of(survivor)], self._shards[ids.shard_of(going.id)], going.id
        if not await home.durable.read("find_survivor", lambda session: store.by_ids(session, [survivor])):
            return
        now_ms, alive = time.time_ns() // 1_000_000, going.deleted_ms is None
        if await shard.primary.write("tombstone_twin", lambda session: store.tombstone_twin(session, twin, survivor, now_ms, alive=alive)):
            self._recorder.count(metrics.RECONCILED)
            logger.info("tweet %d is the twin of %d: tombstoned", twin, survivor)
            await self._forgetting.mark([twin])
