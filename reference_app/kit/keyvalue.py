"""Client of the key-value tier. Over quota a read fails at once, a write is tried three times from 10 ms on (tweetypie's rule for Flock)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from reference_app.contract import api
from reference_app.contract.keyvalue import Dataset
from reference_app.kit import errors, http

OVER_CAPACITY = ("quota_exceeded", "overloaded")
WRITE_ATTEMPTS, FIRST_PAUSE_S = 3, 0.01


class KeyValue:
    """Raises CallError, whose outcome is the code of an error answer where there was one. Every write may be repeated."""

    def __init__(
        self, group: http.Group, *, rng: random.Random | None = None, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._group, self._rng, self._sleep = group, rng or random.Random(), sleep

    async def values(self, dataset: Dataset, keys: Iterable[str], *, limit: float) -> api.Values:
        """Those of the keys that are there; `limit` in seconds, here and below."""
        found: api.Values = await self._call("POST", api.Internal.VALUES, dataset, api.Keys(list(keys)), shape=api.Values, limit=limit)
        return found

    async def put(self, dataset: Dataset, values: dict[str, str], *, limit: float) -> None:
        await self._write("PUT", api.Internal.VALUES, dataset, api.Texts(values), limit)

    async def remove(self, dataset: Dataset, keys: Iterable[str], *, limit: float) -> None:
        await self._write("POST", api.Internal.REMOVE, dataset, api.Keys(list(keys)), limit)

    async def add(self, dataset: Dataset, additions: Sequence[api.Addition], *, limit: float) -> None:
        """Only what has an operation may be added."""
        await self._write("POST", api.Internal.ADD, dataset, api.Additions(list(additions)), limit)

    async def _write(self, method: str, route: str, dataset: Dataset, value: object, limit: float) -> None:
        for attempt in range(1, WRITE_ATTEMPTS + 1):
            try:
                await self._call(method, route, dataset, value, shape=dict, limit=limit)
            except errors.CallError as error:
                if error.outcome not in OVER_CAPACITY or attempt == WRITE_ATTEMPTS:
                    raise
                await self._sleep(FIRST_PAUSE_S * 2 ** (attempt - 1) * (1 + self._rng.random()) / 2)
            else:
                return

    async def _call(self, method: str, route: str, dataset: Dataset, value: object, *, shape: type[Any], limit: float) -> Any:
        try:
            return await self._group.json(method, route.format(dataset=dataset.title), route=route, value=value, shape=shape, limit=limit)
        except errors.AppError as error:
            kind = errors.OutcomeUnknown if error.code == "indeterminate" else errors.Rejected
            raise kind("keyvalue", error.code, error.message) from error
