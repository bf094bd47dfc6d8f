"""`replay:FILE` or `replay:FILE@SPEED`: a recorded series as a load, its busiest minute in the middle of the fault.

The file is CSV, also gzipped (`.gz`), with a header and two columns: a time, in Unix seconds or as `YYYY-MM-DD HH:MM[:SS]`, and how much was
counted from then to the next line's time. The lines are in order and equally far apart, a second or a minute for example.

Time is compressed, never stretched, by SPEED: 20 makes twenty recorded seconds one load second. Without it, it is as fast as the file has
something for every load second of the plan, so that nothing is made up. The busiest load second has the height of the event.
"""

from __future__ import annotations

import gzip
import itertools
import math
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from loadgen.model import courses
from loadgen.model.courses import Leg, Phases

PREFIX = "replay:"
MINUTE_S = 60.0
_UNEVEN_S = 1e-3

_NAME = re.compile(r"replay:(?P<path>.+?)(?:@(?P<speed>\d+(?:\.\d+)?))?", re.DOTALL)


class BadReplayError(ValueError):
    """The file is no series, or the plan does not fit into it; the message says which and where."""


@dataclass(frozen=True)
class Series:
    """How much was counted in each step of so many seconds."""

    step: float
    counts: tuple[float, ...]

    @property
    def length(self) -> float:
        """Its duration in seconds."""
        return self.step * len(self.counts)

    def busiest(self) -> float:
        """The second in the middle of the busiest minute, or of the busiest step when that is longer."""
        size = max(1, min(round(MINUTE_S / self.step), len(self.counts)))
        sums = self._sums()
        first = max(range(len(self.counts) - size + 1), key=lambda i: sums[i + size] - sums[i])
        return (first + size / 2) * self.step

    def rates(self, edges: Iterable[float]) -> list[float]:
        """Per recorded second, between each two neighbours of the edges, which are seconds from its start."""
        sums = self._sums()
        until = [(edge, _up_to(sums, edge / self.step)) for edge in edges]
        return [(counted - before) / (end - start) for (start, before), (end, counted) in itertools.pairwise(until)]

    def _sums(self) -> list[float]:
        return list(itertools.accumulate(self.counts, initial=0.0))


def _up_to(sums: list[float], steps: float) -> float:
    """Counted within the first so many steps; within one step, time counts evenly."""
    whole = min(max(0, math.floor(steps)), len(sums) - 2)
    return sums[whole] + (sums[whole + 1] - sums[whole]) * (steps - whole)


@dataclass(frozen=True)
class Recording:
    """A course. `speed` None is as fast as the plan allows."""

    path: Path
    series: Series
    speed: float | None = None

    @property
    def name(self) -> str:
        """Names it wherever it is read from."""
        return f"{PREFIX}{self.path}" + ("" if self.speed is None else f"@{self.speed!r}".removesuffix(".0"))

    def __call__(self, phases: Phases) -> tuple[Leg, ...]:
        """A level leg for each load second. Raises BadReplayError."""
        fault, end = courses.middle(courses.phase_of(phases, "fault")), phases[-1].end
        peak, speed = self.series.busiest(), self._speed(fault, end)
        seconds = [*map(float, range(math.ceil(end))), end]
        rates = self.series.rates([min(max(0.0, peak + (t - fault) * speed), self.series.length) for t in seconds])
        top = max(rates)
        return tuple(Leg(*span, rate / top, rate / top) for span, rate in zip(itertools.pairwise(seconds), rates, strict=True))

    def _speed(self, fault: float, end: float) -> float:
        """Raises BadReplayError when the plan needs more than was recorded."""
        before = self.series.busiest()
        after = self.series.length - before
        fastest = min(before / fault if fault else math.inf, after / (end - fault) if end > fault else math.inf)
        speed = fastest if self.speed is None else self.speed
        if 1 <= speed <= fastest:
            return speed
        advice = f"give a speed from 1 to {math.floor(fastest * 100) / 100:g}" if fastest >= 1 else "shorten the phases"
        raise BadReplayError(
            f"{self.path} has {before:g} s before the middle of its busiest minute and {after:g} s after it, "
            f"and this plan {fault:g} s before the middle of its fault and {end - fault:g} s after it: {advice}"
        )


def is_replay(name: str) -> bool:
    """True for the name of a replay, good or bad."""
    return name.startswith(PREFIX)


def recording(name: str) -> Recording:
    """The recording of that name, its path made absolute. Raises BadReplayError."""
    parts = _NAME.fullmatch(name)
    if parts is None:
        raise BadReplayError(f"{name!r} names no file: write replay:FILE or replay:FILE@SPEED")
    try:
        path = Path(parts["path"]).expanduser().absolute()
    except RuntimeError:
        raise BadReplayError(f"{name!r} begins with the home directory of somebody who has none here: write the path in full") from None
    return Recording(path, read(path), float(parts["speed"]) if parts["speed"] else None)


def read(path: Path) -> Series:
    """The series of a file. Raises BadReplayError."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", errors="replace")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8", errors="replace") as lines
        ):
            return parse(lines)
    except (OSError, EOFError, zlib.error) as error:
        raise BadReplayError(f"{path} cannot be read: {error}") from None
    except BadReplayError as error:
        raise BadReplayError(f"{path}, {error}") from None


def parse(lines: Iterable[str]) -> Series:
    """The series of these lines. Raises BadReplayError, which names the first bad line."""
    numbered = ((number, line.strip()) for number, line in enumerate(lines, 1))
    rows = list(_rows((number, line) for number, line in numbered if line))
    if len(rows) < 2 or not any(count for *_, count in rows):
        raise BadReplayError("line 1: after it, at least two lines are needed, of which one counts something")
    step = rows[1][1] - rows[0][1]
    for (_, before, _), (number, time, _) in itertools.pairwise(rows):
        if step <= 0 or abs(time - before - step) > _UNEVEN_S:
            raise BadReplayError(
                f"line {number}: {time - before:g} s after the line before; lines are in order and equally far apart, "
                "with 0 where nothing was counted"
            )
    return Series(step, tuple(count for *_, count in rows))


def _rows(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, float, float]]:
    """(line number, Unix seconds, count) of each line after the header."""
    header = next(lines, (1, ""))
    if _number(header[1].rpartition(",")[2]) is not None:
        raise BadReplayError(f"line {header[0]}: a header belongs here, such as unix_time,count")
    for number, line in lines:
        time, _, count = line.partition(",")
        at, counted = _seconds(time), _number(count)
        if at is None or counted is None or counted < 0:
            raise BadReplayError(f"line {number}: {line[:60]!r} is not a time, a comma and a count")
        yield number, at, counted


def _seconds(text: str) -> float | None:
    """Unix seconds; a time without a zone is taken as UTC, since only differences count."""
    if (number := _number(text)) is not None:
        return number
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
