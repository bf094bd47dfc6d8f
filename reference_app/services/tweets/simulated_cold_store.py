"""A SIMULATED device: a store behind the caches that is as slow as in Twitter's incident of 2016-07, because MariaDB here is far too fast for one.

Each cold batch holds one slot of a small read-only pool for 20 ms, whatever is in it; who gets no slot in time is refused, as by a pool that
is exhausted. The reads themselves are real. It is off (decider `simulated_cold_store`, the number of slots) unless an experiment wants it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from reference_app.contract import metrics
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deadline, errors
from reference_app.kit.deciders import Deciders

T = TypeVar("T")
HOLD_SECONDS = 0.02
PEER = "simulated-cold-store"


class SimulatedColdStore:
    """One pool for all shards of a process. Waits for a slot as kit.sql does for a connection; refuses with NeverSent, pool_exhausted."""

    def __init__(self, *, deciders: Deciders, recorder: Recorder, profile: Profile = LAB) -> None:
        self._deciders, self._recorder, self._profile = deciders, recorder, profile
        self._size, self._slots = 0, asyncio.Semaphore(0)

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work, in a slot if there is such a device."""
        size = self._deciders.value("simulated_cold_store")
        if not size:
            return await work()
        if size != self._size:
            self._size, self._slots = size, asyncio.Semaphore(size)
        slots = self._slots
        await self._acquire(slots)
        try:
            result, _ = await asyncio.gather(work(), asyncio.sleep(HOLD_SECONDS))
        finally:
            slots.release()
        return result

    async def _acquire(self, slots: asyncio.Semaphore) -> None:
        if slots.locked():
            try:
                await asyncio.wait_for(slots.acquire(), deadline.limit(self._profile.connect_timeout))
            except TimeoutError:
                self._recorder.count(metrics.SIMULATED_COLD_STORE, "refused")
                raise errors.NeverSent(PEER, "pool_exhausted") from None
            self._recorder.count(metrics.SIMULATED_COLD_STORE, "waited")
        else:
            await slots.acquire()
            self._recorder.count(metrics.SIMULATED_COLD_STORE, "at_once")
