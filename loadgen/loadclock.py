"""Load seconds: one clock for everything the generator writes."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class LoadClock:
    """Counts from the plan's t0 (Unix). Anchored once, then monotonic: a step of the wall clock does not move the schedule."""

    t0: float
    anchor: float
    """Monotonic time at load second 0."""

    @classmethod
    def anchored(cls, t0: float) -> LoadClock:
        """The clock of a plan, set by the wall clock of this moment."""
        return cls(t0, time.perf_counter() + t0 - time.time())

    def seconds(self) -> float:
        """Load seconds now; negative before t0."""
        return time.perf_counter() - self.anchor

    def unix(self, load_second: float) -> float:
        """Unix time of a load second."""
        return self.t0 + load_second
