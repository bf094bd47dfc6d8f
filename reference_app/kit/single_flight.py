"""Single flight: concurrent callers of one key share one execution (groupcache `singleflight`)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Per process. A caller that is cancelled leaves the others' execution running."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, asyncio.Task[T]] = {}

    async def run(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """The result of the execution under way for `key`, or of a new one."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.ensure_future(_await(work))
            flight.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(flight)

    def drop(self, key: Hashable) -> None:
        """Whoever comes from now on has an execution that begins after this; who waits already gets what the present one finds."""
        self._flights.pop(key, None)

    def dropped(self, key: Hashable) -> bool:
        """Asked by an execution of the key: whether nobody joins it any more."""
        return self._flights.get(key) is not asyncio.current_task()

    def _land(self, key: Hashable, flight: asyncio.Task[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # an error that nobody waits for any more is not an unraisable one


class SharedFlights(Generic[K, T]):
    """The same for callers of several keys each: what is under way is waited for, the rest is one execution."""

    def __init__(self) -> None:
        self._flights: dict[K, asyncio.Task[Mapping[K, T]]] = {}

    async def run(self, keys: Sequence[K], work: Callable[[list[K]], Awaitable[Mapping[K, T]]]) -> dict[K, T]:
        """What the executions found of the keys; they leave out what they did not find. The first error of one is raised."""
        mine = [key for key in keys if key not in self._flights]
        if mine:
            flight = asyncio.ensure_future(_await(lambda: work(mine)))
            self._flights.update(dict.fromkeys(mine, flight))
            flight.add_done_callback(lambda done: self._land(mine, done))
        found = await asyncio.gather(*(asyncio.shield(flight) for flight in {self._flights[key] for key in keys}))
        return {key: part[key] for part in found for key in part.keys() & set(keys)}

    def _land(self, keys: Sequence[K], flight: asyncio.Task[Mapping[K, T]]) -> None:
        for key in keys:
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()


async def _await(work: Callable[[], Awaitable[T]]) -> T:
    return await work()
