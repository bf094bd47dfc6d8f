"""What only the generator knows of itself; the evidence for or against its measurements."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from reference_app.kit import files

FILE = "load/generator.json"
"""Below the run directory."""

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


def write(run_dir: Path, facts: Facts) -> None:
    """Put the facts beside the history."""
    files.write_json(run_dir / FILE, facts)


def read(run_dir: Path) -> Facts | None:
    """None when the generator did not live to write them."""
    try:
        return msgspec.json.decode((run_dir / FILE).read_bytes(), type=Facts)
    except FileNotFoundError:
        return None
