"""Gathered loads: at most so many executions are under way; keys that come meanwhile wait and leave together in the next one (DataLoader; group commit).

It bounds what a slow store is asked, and by what it is slow in, the number of calls: the longer one takes, the more keys ride in the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextvars import Context, copy_context
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Gathering(Generic[K, V]):
    """`lanes` executions of at most `size` keys. An execution runs in the context, hence for the deadline, of the caller that came last."""

    def __init__(self, load: Callable[[list[K]], Awaitable[Mapping[K, V]]], *, lanes: int, size: int) -> None:
        self._load, self._lanes, self._size = load, lanes, size
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._context = Context()
        self._under_way: set[asyncio.Task[None]] = set()

    async def get(self, keys: Sequence[K]) -> dict[K, V]:
        """What executions found of the keys; the first error of one is raised."""
        loop = asyncio.get_running_loop()
        futures = {key: self._waiting.setdefault(key, loop.create_future()) for key in keys}
        self._context = copy_context()
        self._start()
        values = await asyncio.gather(*(asyncio.shield(future) for future in futures.values()))
        return {key: value for key, value in zip(futures, values, strict=True) if value is not None}

    def _start(self) -> None:
        while self._waiting and len(self._under_way) < self._lanes:
            batch = {key: self._waiting.pop(key) for key in list(self._waiting)[: self._size]}
            task = asyncio.get_running_loop().create_task(self._execute(batch), context=self._context)
            self._under_way.add(task)
            task.add_done_callback(self._end)

    async def _execute(self, batch: dict[K, asyncio.Future[V | None]]) -> None:
        try:
            found = await self._load(list(batch))
        except Exception as error:  # noqa: BLE001 - raised where the keys are waited for
            for future in batch.values():
                future.set_exception(error)
                future.exception()  # nobody may wait for it any more
        else:
            for key, future in batch.items():
                future.set_result(found.get(key))

    def _end(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._start()
