"""Warm-up gate: a process that has just started takes no traffic until what it depends on answers, and not longer than some seconds (tweetypie `Warmup`).

Whoever asks for its health drives it: there is no task, and once the gate is open nothing is asked ever again. A process whose dependencies
die later stays healthy: it serves what it can.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from reference_app.contract.profile import LAB, Profile
from reference_app.kit import errors

Probe = Callable[[], Awaitable[object]]
"""Asks one dependency a real question, which fills a pool on the way. Raises CallError or AppError."""
PROBE_SECONDS, PASSED = 0.2, 0.99


class Gate:
    """Opens when 99 % of the probes pass at once, or when the profile's time is over."""

    def __init__(
        self,
        probes: Sequence[Probe],
        *,
        enabled: Callable[[], bool] = lambda: True,
        profile: Profile = LAB,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._probes, self._enabled, self._monotonic = probes, enabled, monotonic
        self._opens_at, self._open = monotonic() + profile.warm_up, not probes

    async def ready(self) -> bool:
        """Whether traffic may come; asks the dependencies until it may."""
        if not self._open:
            self._open = self._monotonic() >= self._opens_at or not self._enabled() or await self._passes()
        return self._open

    async def _passes(self) -> bool:
        passed = await asyncio.gather(*(_passes(probe) for probe in self._probes))
        return sum(passed) >= PASSED * len(passed)


async def _passes(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await probe()
    except (errors.CallError, errors.AppError, TimeoutError):
        return False
    return True
