"""Upkeep of the key-value database: forgets old operations, and tells which storage engine each dataset really has."""

from __future__ import annotations

import asyncio
import logging
import time

from reference_app.contract import keyvalue, metrics
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.shard import Shard
from reference_app.kit.sql import Session
from reference_app.services.keyvalue import store

logger = logging.getLogger(__name__)
EVERY_S, OPERATIONS_KEPT_S = 60.0, 86400


class Upkeep:
    """An addition that is sent again more than a day after it was made is made again; repair then takes it back (docs/adr/0017)."""

    def __init__(self, shard: Shard, *, recorder: Recorder) -> None:
        self._shard, self._recorder = shard, recorder

    async def run(self) -> None:
        """Until cancelled, or until the database does not answer (CallError)."""
        self._tell(await self._shard.primary.read("list_engines", store.engines))
        while True:
            purged = await self._shard.primary.write("purge", self._purge)
            await asyncio.sleep(EVERY_S if purged < store.PURGED_AT_ONCE else 0)

    async def _purge(self, session: Session) -> int:
        return await store.purge_operations(session, int(time.time()) - OPERATIONS_KEPT_S)

    def _tell(self, engines: dict[str, str]) -> None:
        for dataset in keyvalue.DATASETS.values():
            engine, wanted = engines.get(dataset.table, "none"), keyvalue.ENGINES[dataset.pattern]
            self._recorder.gauge(metrics.KEYVALUE_ENGINE, 1, dataset.title, engine)
            if engine != wanted:
                logger.warning("%s is kept by %s instead of %s, which this server does not have", dataset.title, engine, wanted)
