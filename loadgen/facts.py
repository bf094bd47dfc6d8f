"""What only the generator knows of itself; the evidence for or against its measurements. Each of its processes writes its own, and they are read as one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from loadgen import latency
from reference_app.kit import files

FILE = "load/generator.json"
"""Below the run directory. Of several processes, each writes `load/generator-1-of-2.json` and so on instead."""
_SUMMED = ("planned", "sent", "dropped", "retried", "replayed", "stalls", "pauses")
_WORST = ("cpu_mean", "cpu_peak", "cpu_wait_peak", "longest_stall_ms")
_PART = re.compile(r"generator-\d+-of-(\d+)\.json")

StoppedBy = Literal["end", "interrupt", "lease"]


@dataclass(frozen=True)
class Facts:
    """`planned` and `sent` count the arrivals of the schedule, `retried` and `replayed` what answers brought about.

    Lag (actual minus intended start), CPU and stalls are of the recorded phases. `cpu_peak` is the highest mean over 5 s, as
    a share of one core; a stall is a time in which the event loop did not turn, a pause one in which the whole process did not.
    """

    run_id: str
    planned: int
    sent: int
    dropped: int
    retried: int
    replayed: int
    lag_p99_ms: float | None
    cpu_mean: float | None
    cpu_peak: float | None
    stalls: int
    longest_stall_ms: float
    stopped_by: StoppedBy
    stopped_at: float
    """Load seconds."""
    pauses: int = 0
    cpu_wait_peak: float | None = None
    """The highest share of 5 s in which the process was ready to run and did not get a core."""
    clock_step_s: float = 0.0
    """By how much the wall clock went ahead of the monotonic one, at its farthest."""
    lags: str = ""
    """All lags as an HDR histogram, so that those of several processes can be put together."""


def write(run_dir: Path, facts: Facts, *, index: int = 0, of: int = 1) -> None:
    """Put the facts of one of so many processes beside the history."""
    path = run_dir / FILE
    files.write_json(path if of == 1 else path.with_name(f"generator-{index + 1}-of-{of}.json"), facts)


def read(run_dir: Path) -> Facts | None:
    """None when not every process of the generator lived to write them."""
    path = run_dir / FILE
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Facts)
    parts = {part: int(match[1]) for part in path.parent.glob("generator-*.json") if (match := _PART.fullmatch(part.name))}
    if not parts or len(parts) < max(parts.values()):
        return None
    return merged([msgspec.json.decode(part.read_bytes(), type=Facts) for part in sorted(parts)])


def merged(parts: Sequence[Facts]) -> Facts:
    """The facts of one load from those of its processes: sums of counts, the worst of everything else."""
    early = min(parts, key=lambda part: (part.stopped_by == "end", part.stopped_at))
    together: dict[str, Any] = {name: sum(getattr(part, name) for part in parts) for name in _SUMMED}
    together |= {name: _highest(parts, name) for name in _WORST}
    step = max((part.clock_step_s for part in parts), key=abs)
    return replace(early, **together, clock_step_s=step, lag_p99_ms=latency.p99_of(part.lags for part in parts if part.lags), lags="")


def _highest(parts: Sequence[Facts], name: str) -> float | None:
    return max((value for part in parts if (value := getattr(part, name)) is not None), default=None)
