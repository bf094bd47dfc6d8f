"""The record of a game day: `record.ndjson`, lines that are only ever added, from which the day is continued and its report is made."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from chaos.alertscore import Score
from chaos.audit.model import VIOLATIONS, Finding
from chaos.catalogue import Verdict
from chaos.clocks import Clocks
from chaos.gameday import Task
from failwhale.bench.measure import Machine
from failwhale.outcome import Artifacts, BlastRadius
from loadgen import validity
from reference_app.kit import files
from reference_app.kit.home import Home

FILE, LATEST = "record.ndjson", "latest"
UNMEASURED = ("inconclusive", "baseline-not-met")
"""Verdicts of drills that say nothing about the system. One that a guard ended says nothing when its load was spoiled before that."""


class NoGameDayError(Exception):
    """There is no game day of that id."""


@dataclass(frozen=True)
class LoadSeen:
    """The part of a drill's load that a report keeps."""

    valid: bool
    invalid_reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Audited:
    """The part of a drill's audit that a report keeps; None where it did not run."""

    complete: bool
    acknowledged: int
    indeterminate: int
    lost: int | None
    duplicated: int | None
    missing_from_timelines: int | None = None
    non_unique_ids: int | None = None
    stale: int | None = None
    resurrected: int | None = None
    doubled_deliveries: int | None = None

    def broken(self, *, predicted: Collection[Finding]) -> bool:
        """Whether a promise is broken, beside those of which that was predicted."""
        return any(getattr(self, name) for name in VIOLATIONS if name not in predicted)


@dataclass(frozen=True)
class Drilled:
    """The part of `drill --json` that a report keeps; of a drill that was not begun there is a verdict and reasons only."""

    verdict: Verdict
    reasons: tuple[str, ...]
    run_id: str | None = None
    started_at: str | None = None
    duration_s: float = 0.0
    passes_with: str | None = None
    blast_radius: BlastRadius | None = None
    load: LoadSeen | None = None
    audit: Audited | None = None
    alerts: Score | None = None
    clocks: Clocks = field(default_factory=Clocks)
    artifacts: Artifacts | None = None


class Planned(msgspec.Struct, frozen=True, tag="planned"):
    """The first line. `own_lab` is True when the lab of the home is the day's to lay out anew; `at` is Unix seconds."""

    at: float
    id: str
    file: str
    title: str
    seed: int
    commit: str
    machine: Machine
    tasks: tuple[Task, ...]
    settle_s: float
    repeats: int
    limit_min: float
    own_lab: bool


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """A drill came to its end, or was not begun because of what was `unmet`. `hit_rates` are those of the caches before it."""

    at: float
    number: int
    attempt: int
    waited_s: float
    result: Drilled
    unmet: tuple[str, ...] = ()
    hit_rates: dict[str, float] = {}


class Continued(msgspec.Struct, frozen=True, tag="continued"):
    """Somebody took the day up again."""

    at: float
    commit: str


class Stopped(msgspec.Struct, frozen=True, tag="stopped"):
    """The day ended before its last drill. `number` is the drill that was cut short, which left nothing to report."""

    at: float
    reason: str
    number: int | None = None


class Finished(msgspec.Struct, frozen=True, tag="finished"):
    """Every drill came to its end."""

    at: float


Line = Planned | Ended | Continued | Stopped | Finished


@dataclass(frozen=True)
class Record:
    """A game day as far as it got."""

    directory: Path
    lines: tuple[Line, ...]

    @property
    def planned(self) -> Planned:
        first = self.lines[0]
        assert isinstance(first, Planned)  # noqa: S101 - `read` refuses others
        return first

    @property
    def ended(self) -> dict[int, Ended]:
        """The last end of each drill, by number."""
        return {line.number: line for line in self.lines if isinstance(line, Ended)}

    @property
    def attempts(self) -> dict[int, tuple[Ended, ...]]:
        """All ends of each drill, by number, in their order."""
        ends = [line for line in self.lines if isinstance(line, Ended)]
        return {number: tuple(line for line in ends if line.number == number) for number in self.ended}

    @property
    def left(self) -> tuple[Task, ...]:
        """What is still to be done, or to be repeated."""
        return tuple(task for task in self.planned.tasks if not self.is_done(task))

    def is_done(self, task: Task) -> bool:
        """It came to an end, which was measured, or predicted, or the last that it gets."""
        if (end := self.ended.get(task.number)) is None:
            return False
        return _measured(task, end.result) or len(self.attempts[task.number]) > self.planned.repeats

    @property
    def stopped(self) -> str | None:
        """Why the day is not complete; None while nobody knows, or when it is."""
        last = self.lines[-1]
        return last.reason if isinstance(last, Stopped) else None


class Writer:
    """Adds lines to the record of one game day."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lines = files.LineWriter(directory / FILE)

    def write(self, line: Line) -> None:
        """Add one line."""
        self._lines.write(line)

    def record(self) -> Record:
        """What is written so far."""
        return _read(self.directory)


def find(home: Home, name: str) -> Record:
    """The game day of that id, or the `latest`. Raises NoGameDayError."""
    known = sorted(path.parent.name for path in home.gamedays.glob(f"*/{FILE}"))
    if name == LATEST and known:
        name = known[-1]
    if name not in known:
        raise NoGameDayError(f"there is no game day {name!r} below {home.gamedays}; there are: {', '.join(known) or 'none'}")
    return _read(home.gamedays / name)


def now() -> float:
    """The time of a line."""
    return round(time.time(), 3)


def _measured(task: Task, result: Drilled) -> bool:
    """A broken promise counts whatever the load was."""
    if result.verdict == task.expected_verdict or (result.audit is not None and result.audit.broken(predicted=task.violations)):
        return True
    if result.verdict == "interrupted":
        return result.load is None or not validity.spoiled(result.load.invalid_reasons)
    return result.verdict not in UNMEASURED


def _read(directory: Path) -> Record:
    try:
        lines = tuple(msgspec.convert(line, Line) for line in files.read_lines(directory / FILE))
    except msgspec.DecodeError as error:
        raise NoGameDayError(f"{directory / FILE} cannot be read ({error}): it was left by another version; start a new one") from error
    if not lines or not isinstance(lines[0], Planned):
        raise NoGameDayError(f"{directory / FILE} does not begin with a plan: the game day was ended before it began; start a new one")
    return Record(directory, lines)
