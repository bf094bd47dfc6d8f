"""Results of recorded runs as detection is scored on them: the part of `result.json` that says what was broken, what fired, and whom a diagnosis named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from chaos.alertscore import Score
from postmortems.diagnosis.model import Diagnosed
from reference_app.kit import files
from reference_app.kit.home import Home

RESULT, STARTS = "result.json", "score-starts.ndjson"


@dataclass(frozen=True)
class Fault:
    """One fault of a run; the components are those that it hit."""

    kind: str
    components: tuple[str, ...]


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

    @property
    def valid(self) -> bool:
        return self.load is not None and self.load.valid

    @property
    def quiet_s(self) -> float:
        """Seconds of load without a fault: all of them where nothing was broken, else those before the fault."""
        phases = self.load.phases if self.load else {}
        until = phases["fault"].start if self.faults and "fault" in phases else max((phase.end for phase in phases.values()), default=0.0)
        return 0.0 if self.alerts is None else until


@dataclass(frozen=True)
class Start:
    """From when runs are counted, and why from then. Starts are only ever added, so that nobody begins anew unseen."""

    at: str
    why: str


def read(homes: Iterable[Home], *, since: str = "") -> tuple[Recorded, ...]:
    """All runs with a result that began at `since` (ISO 8601 in UTC) or later, oldest first. Raises ValueError for one that is none."""
    found = [_read(path) for home in homes for path in home.runs.glob(f"*/{RESULT}")]
    return tuple(sorted((run for run in found if run.started_at >= since), key=lambda run: (run.started_at, run.run_id)))


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
