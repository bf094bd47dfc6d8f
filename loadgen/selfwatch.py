"""The generator watches itself: lag, CPU and event-loop stalls of the recorded phases. Times are given to it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from loadgen import latency

BEAT_S, STALL_S = 0.05, 0.25
"""A heartbeat every 50 ms; one that comes more than 250 ms late is a stall."""
CPU_EVERY_S, CPU_WINDOW = 1.0, 5
"""A sample each second; the peak is over windows of five."""


@dataclass
class SelfWatch:
    """`since` is the load second at which the recorded phases begin, `until` the one at which they end."""

    since: float
    until: float
    lags_ms: list[float] = field(default_factory=list)
    stalls: int = 0
    longest_stall_ms: float = 0.0
    _beat: float | None = None
    _samples: list[tuple[float, float]] = field(default_factory=list)

    def sent(self, due: float, *, lag_s: float) -> None:
        """A request left `lag_s` after the load second at which it was due."""
        if self._recorded(due):
            self.lags_ms.append(lag_s * 1000)

    def beat(self, now: float) -> None:
        """The heartbeat came at load second `now`."""
        late = 0.0 if self._beat is None else now - self._beat - BEAT_S
        self._beat = now
        if late > STALL_S and self._recorded(now):
            self.stalls += 1
            self.longest_stall_ms = max(self.longest_stall_ms, late * 1000)

    def cpu(self, now: float, used_s: float) -> None:
        """The process had used `used_s` seconds of CPU at load second `now`."""
        if self._recorded(now):
            self._samples.append((now, used_s))

    @property
    def lag_p99_ms(self) -> float | None:
        return latency.nearest_rank(self.lags_ms, 0.99)

    @property
    def cpu_mean(self) -> float | None:
        """Share of one core over the recorded phases."""
        return _share(self._samples[0], self._samples[-1]) if len(self._samples) > 1 else None

    @property
    def cpu_peak(self) -> float | None:
        """The highest share of one core over a window; of the whole when it was shorter."""
        if len(self._samples) <= CPU_WINDOW:
            return self.cpu_mean
        window = deque(self._samples[:CPU_WINDOW], maxlen=CPU_WINDOW + 1)
        shares = []
        for sample in self._samples[CPU_WINDOW:]:
            window.append(sample)
            shares.append(_share(window[0], sample))
        return max(shares)

    def _recorded(self, load_second: float) -> bool:
        return self.since <= load_second < self.until


def _share(first: tuple[float, float], last: tuple[float, float]) -> float:
    return round((last[1] - first[1]) / (last[0] - first[0]), 4)
