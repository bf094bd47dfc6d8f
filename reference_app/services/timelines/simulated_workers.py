"""A SIMULATED device: a pool of workers, each of which a home page holds for 100 ms, as the threads of a blocking server do while they wait for others.

It caps how many pages a second there can be (workers x 10), whatever the machine: so an experiment can load a lab to a known part of its
capacity. Pages wait for a worker in line, first come, first served; beyond the line they get a nack. Such a pool knows nothing of deadlines:
who has given up stays in line and has his turn. Nothing else about them is simulated.
It is off (decider `simulated_page_workers`, the number of workers) unless an experiment wants it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from reference_app.contract import metrics
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deciders, errors
from reference_app.kit.concurrency import WAIT_SECONDS, ConcurrencyLimit
from reference_app.kit.deciders import Deciders

T = TypeVar("T")
HOLD_SECONDS = 0.1
DECIDER = "simulated_page_workers"


class SimulatedWorkers:
    """One pool per process."""

    def __init__(self, *, deciders: Deciders, recorder: Recorder, profile: Profile = LAB) -> None:
        self._deciders, self._recorder = deciders, recorder
        self._limit = ConcurrencyLimit(running=self._many, waiting=profile.service_waiting)

    def _many(self) -> int:
        """As many as there are; who still waits when the device is switched off waits no longer."""
        return self._deciders.value(DECIDER) or deciders.ON

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work, by a worker if there is such a device. Raises as ConcurrencyLimit.wait does.

        A worker is busy for its time even when the caller has left or the work has failed: that is what a storm of retries feeds on.
        """
        if not self._deciders.value(DECIDER):
            return await work()
        await self._hire()
        asyncio.get_running_loop().call_later(HOLD_SECONDS, self._limit.leave)
        result, _ = await asyncio.gather(work(), asyncio.sleep(HOLD_SECONDS))
        return result

    async def _hire(self) -> None:
        if self._limit.enter():
            self._recorder.count(metrics.SIMULATED_WORKERS, "at_once")
            return
        try:
            await self._limit.wait(at_most=WAIT_SECONDS)
        except errors.AppError:
            self._recorder.count(metrics.SIMULATED_WORKERS, "refused")
            raise
        self._recorder.count(metrics.SIMULATED_WORKERS, "waited")
