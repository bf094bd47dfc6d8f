"""The generator watches itself: lag, stalls of its event loop, CPU that it used and waited for, and the two clocks of its machine. Times are given to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from loadgen import latency

BEAT_S, STALL_S = 0.05, 0.25
"""A heartbeat every 50 ms; one that comes more than 250 ms late is a stall."""
PAUSED_SHARE = 0.2
"""A stall in which the process used less of a core than this was none of its own making: it was paused, or did not get its core."""
CPU_EVERY_S, CPU_WINDOW = 1.0, 5
"""A sample each second; the peaks are over windows of five."""


@dataclass(frozen=True)
class Cpu:
    """Seconds of CPU that the process has used, and for which it was ready to run and was not let, up to load second `at`."""

    at: float
    used_s: float
    waited_s: float = 0.0


@dataclass
class SelfWatch:
    """`since` is the load second at which the recorded phases begin, `until` the one at which they end."""

    since: float
    until: float
    lags_ms: list[float] = field(default_factory=list)
    stalls: int = 0
    pauses: int = 0
    """Of the stalls, those in which the process did not run."""
    longest_stall_ms: float = 0.0
    clock_step_s: float = 0.0
    """By how much the wall clock has gone ahead of the monotonic one since the first look at both, at its farthest; negative when it was set back."""
    _beat: Cpu | None = None
    _ahead: float | None = None
    _samples: list[Cpu] = field(default_factory=list)

    def sent(self, due: float, *, lag_s: float) -> None:
        """A request left `lag_s` after the load second at which it was due."""
        if self._recorded(due):
            self.lags_ms.append(lag_s * 1000)

    def beat(self, now: float, used_s: float) -> None:
        """The heartbeat came at load second `now`; the process had used so many seconds of CPU."""
        last, self._beat = self._beat, Cpu(now, used_s)
        if last is None:
            return
        late = now - last.at - BEAT_S
        if late > STALL_S and last.at < self.until and now >= self.since:
            self.stalls += 1
            self.pauses += used_s - last.used_s < PAUSED_SHARE * late
            self.longest_stall_ms = max(self.longest_stall_ms, late * 1000)

    def cpu(self, sample: Cpu) -> None:
        """What the process had used and waited for."""
        if self._recorded(sample.at):
            self._samples.append(sample)

    def clocks(self, load_second: float, unix: float) -> None:
        """The wall clock showed `unix` at that second of the monotonic one."""
        ahead = unix - load_second
        if self._ahead is None:
            self._ahead = ahead
        self.clock_step_s = max(self.clock_step_s, ahead - self._ahead, key=abs)

    @property
    def lag_p99_ms(self) -> float | None:
        return latency.nearest_rank(self.lags_ms, 0.99)

    @property
    def cpu_mean(self) -> float | None:
        """Share of one core over the recorded phases."""
        return _used(self._samples[0], self._samples[-1]) if len(self._samples) > 1 else None

    @property
    def cpu_peak(self) -> float | None:
        """The highest share of one core over a window; of the whole when it was shorter."""
        return self._peak(_used)

    @property
    def cpu_wait_peak(self) -> float | None:
        """The highest share of a window that it spent ready to run and did not."""
        return self._peak(_waited)

    def _peak(self, share: Callable[[Cpu, Cpu], float]) -> float | None:
        if len(self._samples) < 2:
            return None
        window = deque(self._samples[:1], maxlen=CPU_WINDOW + 1)
        shares = []
        for sample in self._samples[1:]:
            window.append(sample)
            shares.append(share(window[0], sample))
        return max(shares[min(CPU_WINDOW, len(shares)) - 1 :])

    def _recorded(self, load_second: float) -> bool:
        return self.since <= load_second < self.until


def _used(first: Cpu, last: Cpu) -> float:
    return round((last.used_s - first.used_s) / (last.at - first.at), 4)


def _waited(first: Cpu, last: Cpu) -> float:
    return round((last.waited_s - first.waited_s) / (last.at - first.at), 4)
