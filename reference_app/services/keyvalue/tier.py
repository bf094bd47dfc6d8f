"""The tier: operations on datasets, each charged to its tenant, done through its connections and counted for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from reference_app.contract import api, keyvalue, metrics
from reference_app.contract.keyvalue import Access, Dataset
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.keyvalue import OVER_CAPACITY
from reference_app.kit.shard import Shard
from reference_app.kit.sql import Session
from reference_app.services.keyvalue import store
from reference_app.services.keyvalue.tenancy import Bulkheads, Quotas

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Tier:
    """Raises AppError quota_exceeded, overloaded (all connections of the tenant are busy), unavailable or indeterminate."""

    def __init__(self, quotas: Quotas, bulkheads: Bulkheads, *, recorder: Recorder, now: Callable[[], float] = time.time) -> None:
        self._quotas, self._bulkheads, self._recorder, self._now = quotas, bulkheads, recorder, now

    async def get(self, dataset: Dataset, keys: Sequence[str]) -> api.Values:
        """An eventual dataset may be answered by a replica."""
        wanted = [*keys, keyvalue.GENERATION_KEY] if dataset.pattern == "read_only" else keys

        async def read(shard: Shard) -> dict[str, int | str]:
            if dataset.consistency == "read_my_writes":
                return await shard.primary.read("get", lambda session: store.get(session, dataset, wanted))
            return (await shard.read("get", lambda session: store.get(session, dataset, wanted)))[0]

        found = await self._done(dataset, "reads", len(keys), read)
        generation = found.pop(keyvalue.GENERATION_KEY, None)
        return api.Values(found, None if generation is None else int(generation))

    async def put(self, dataset: Dataset, values: dict[str, str]) -> None:
        await self._written(dataset, len(values), "put", lambda session: store.put(session, dataset, values))

    async def remove(self, dataset: Dataset, keys: Sequence[str]) -> None:
        await self._written(dataset, len(keys), "remove", lambda session: store.remove(session, dataset, keys))

    async def add(self, dataset: Dataset, additions: Sequence[api.Addition]) -> None:
        """Each operation once, whoever sends it, however often and at the same time."""

        async def write(shard: Shard) -> None:
            try:
                await shard.primary.write("add", lambda session: store.add(session, dataset, additions, now_s=int(self._now())))
            except errors.Duplicate:
                await shard.primary.write("add", lambda session: store.add(session, dataset, additions, now_s=int(self._now())))

        await self._done(dataset, "writes", len(additions), write)

    async def _written(self, dataset: Dataset, keys: int, operation: str, work: Callable[[Session], Awaitable[None]]) -> None:
        await self._done(dataset, "writes", keys, lambda shard: shard.primary.write(operation, work))

    async def _done(self, dataset: Dataset, access: Access, keys: int, work: Callable[[Shard], Awaitable[T]]) -> T:
        result = "failed"
        try:
            await self._quotas.charge(dataset.tenant, access, keys)
            async with self._bulkheads.entered(dataset.tenant, access) as shard:
                done = await work(shard)
            result = "ok"
        except errors.AppError as error:
            result = error.code if error.code in OVER_CAPACITY else result
            raise
        except errors.CallError as error:
            result = "overloaded" if error.outcome == "pool_exhausted" else result
            raise _answer(error, dataset, access) from error
        else:
            return done
        finally:
            self._recorder.count(metrics.KEYVALUE_OPERATIONS, dataset.tenant, access, result)


def _answer(error: errors.CallError, dataset: Dataset, access: Access) -> errors.AppError:
    if error.outcome == "pool_exhausted":
        return errors.AppError("overloaded", f"all connections of {dataset.tenant} are busy: try again in a moment", retry_after=1)
    return errors.answer_to(error, writing=access == "writes")
