"""Results of recorded runs as detection is scored on them: the part of `result.json` that says what was broken, what fired, and whom a diagnosis named."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from chaos.alertscore import Score
from postmortems.diagnosis.model import Diagnosed
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan
from reference_app.kit import files, lease
from reference_app.kit.home import Home

RESULT, STARTS = "result.json", "score-starts.ndjson"
LATE_S = 20.0
"""Seconds after the undo until which an alert may still be of the fault: a cause is told within 5 to 20 s (docs/adr/0023)."""


@dataclass(frozen=True)
class Fault:
    """One fault of a run; the components are those that it hit. Moments are ISO 8601 in UTC."""

    kind: str
    components: tuple[str, ...]
    injected_at: str | None = None
    undone_at: str | None = None


@dataclass(frozen=True)
class Phase:
    """In load seconds."""

    start: float
    end: float


@dataclass(frozen=True)
class Load:
    """The part of a result's load that a score needs."""

    valid: bool
    phases: dict[str, Phase] = field(default_factory=dict)


@dataclass(frozen=True)
class Recorded:
    """One recorded run. `alerts` None is a run of which nobody could ask Prometheus; `diagnosis` None one in which nothing was noticed."""

    drill: str
    run_id: str
    topology: str
    started_at: str
    verdict: str
    faults: tuple[Fault, ...]
    load: Load | None = None
    alerts: Score | None = None
    diagnosis: Diagnosed | None = None
    sham: bool | None = False
    expected_verdict: str = ""

    @property
    def valid(self) -> bool:
        return self.load is not None and self.load.valid

    @property
    def quiet_s(self) -> float:
        """Seconds of load without a fault: all of them where nothing was broken, else those before the fault; none of a load that nobody let end."""
        phases = self.load.phases if self.load else {}
        until = phases["fault"].start if self.faults and "fault" in phases else max((phase.end for phase in phases.values()), default=0.0)
        return 0.0 if self.alerts is None or (self.broken_off and not self.faults) else until

    @property
    def broken_off(self) -> bool:
        """Ended by somebody before its time: its phases are those that were planned."""
        return self.verdict == "interrupted"

    @property
    def told_until_s(self) -> float:
        """Seconds from the first fault until alerts are of the recovery and no longer of the faults; without end where nobody knows of an undo."""
        begun = [_seconds(fault.injected_at) for fault in self.faults if fault.injected_at]
        ended = [_seconds(fault.undone_at) for fault in self.faults if fault.undone_at]
        return max(ended) - min(begun) + LATE_S if begun and len(ended) == len(self.faults) else math.inf


@dataclass(frozen=True)
class Start:
    """From when runs are counted, and why from then. Starts are only ever added, so that nobody begins anew unseen."""

    at: str
    why: str


def read(homes: Iterable[Home], *, since: str = "") -> tuple[Recorded, ...]:
    """All runs with a result that began at `since` (ISO 8601 in UTC) or later, oldest first. Raises ValueError for one that is none."""
    found = [_read(path) for home in homes for path in home.runs.glob(f"*/{RESULT}")]
    return tuple(sorted((run for run in found if run.started_at >= since), key=lambda run: (run.started_at, run.run_id)))


def without_result(homes: Iterable[Home], *, since: str = "", now: float) -> int:
    """Drills that began since then and left a plan alone: whoever ran them was killed, or failed, before it said how they ended."""
    return sum(_is_lost(path, since, lease.living(home.chaos, now=now)) for home in homes for path in home.runs.glob(f"*/{plans.FILE}"))


def starts(home: Home) -> tuple[Start, ...]:
    """Every start that was ever declared, oldest first."""
    return tuple(msgspec.convert(line, Start) for line in files.read_lines(home.path / STARTS))


def begin(home: Home, start: Start) -> None:
    """Count from here on."""
    writer = files.LineWriter(home.path / STARTS)
    try:
        writer.write(start)
    finally:
        writer.close()


def counted_since(declared: Sequence[Start]) -> str:
    """The last start; empty, which is since ever, without one."""
    return declared[-1].at if declared else ""


def _read(path: Path) -> Recorded:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recorded)
    except msgspec.DecodeError as error:
        raise ValueError(
            f"{path} cannot be read ({error}): it was left by another version; delete that run or name another --home"
        ) from error


def _is_lost(path: Path, since: str, living: str | None) -> bool:
    if (path.parent / RESULT).exists():
        return False
    try:
        plan = msgspec.json.decode(path.read_bytes(), type=Plan)
    except msgspec.DecodeError:
        return True
    return bool(plan.drill) and plan.run_id != living and (not since or plan.t0 >= _seconds(since))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
