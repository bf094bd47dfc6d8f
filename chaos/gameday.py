"""A game day as a file: which drills and sham twins, in which seeded order, for how long; from it the list of what to do. Pure but for reading the file."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from chaos.audit.model import Finding
from chaos.catalogue import Extension
from reference_app.contract import plan as plans
from reference_app.contract.topology import TOPOLOGIES, components

DIRECTORY = Path(__file__).parent / "gamedays"
ALL = "all"
AROUND_S, SETTLE_S = 30.0, 12.0
"""What a drill takes beside its load (start, audit, evidence, draft), and what usually passes until the lab is as it was before."""
SHAM_VERDICT = "passed"
_Item = TypeVar("_Item")


class InvalidGameDayError(Exception):
    """The file is no game day that can be run here; the message says what is wrong with it and where."""


@dataclass(frozen=True)
class Entry:
    """A drill, or `all` that no other entry of the same kind names. `phases` are lengths in seconds for this one."""

    drill: str
    sham: bool = False
    phases: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class GameDay:
    """One file. `sham_share` of the drills get a twin beside those that are listed.

    `phases` are lengths for every drill that does not ask for its own and is not the first on its lab; `settle_s` is how long the lab may take to be as before, between
    two drills; `repeats` is how often a drill is done again that could not be measured (inconclusive, its baseline was not met, or a guard
    ended it after its load was spoiled).
    Nothing is begun after `limit_min` minutes.
    """

    title: str
    entries: tuple[Entry, ...]
    description: str = ""
    sham_share: float = 0.0
    phases: dict[str, float] = field(default_factory=dict)
    settle_s: float = 90.0
    repeats: int = 0
    limit_min: float = 180.0


@dataclass(frozen=True)
class Task:
    """One drill of the day, in its place. `phases` are the lengths that differ from the usual ones and from the experiment's own.

    `violations` are the promises that it is predicted to break.
    """

    number: int
    drill: str
    sham: bool
    topology: str
    expected_verdict: str
    seconds: float
    phases: dict[str, float] = field(default_factory=dict)
    violations: tuple[Finding, ...] = ()

    @property
    def title(self) -> str:
        """For people: `kill-gateway`, or `kill-gateway (sham)`."""
        return f"{self.drill} (sham)" if self.sham else self.drill


def read(path: Path) -> GameDay:
    """The game day in a file. Raises InvalidGameDayError, OSError."""
    try:
        document = yaml.safe_load(path.read_text())
        entries = [_entry(path, entry) for entry in msgspec.convert(document.get("entries", []), list[Any])]
        day = msgspec.convert(document | {"entries": entries}, GameDay, strict=False)
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise InvalidGameDayError(f"{path} is no game day: {error}") from error
    if unknown := set(document) - set(GameDay.__dataclass_fields__):
        raise InvalidGameDayError(f"{path}: unknown: {', '.join(sorted(unknown))}; there are {', '.join(GameDay.__dataclass_fields__)}")
    return _checked(path, day)


def names(day: GameDay, known: Sequence[str]) -> list[str]:
    """The drills of the day among those that are known. Raises InvalidGameDayError for one that is not."""
    named = {entry.drill for entry in day.entries}
    if unknown := sorted(named - {ALL, *known}):
        raise InvalidGameDayError(f"there is no experiment {', '.join(map(repr, unknown))}; there are {', '.join(sorted(known))}")
    return [name for name in known if name in named or ALL in named]


def tasks(day: GameDay, library: Mapping[str, Extension], *, seed: int, first: str) -> tuple[Task, ...]:
    """What to do, in order: the drills of the topology `first`, then those of others, shuffled within each; a drill follows its twin.

    `library` has the drills that the day `names`. Raises InvalidGameDayError for one that no topology can run.
    """
    rng = random.Random(seed)
    pairs = _pairs(day, library, rng)
    labs = {entry.drill: _topology(entry.drill, library[entry.drill], first) for pair in pairs for entry in pair}
    order = sorted(TOPOLOGIES, key=lambda name: name != first)
    grouped = [pair for topology in order for pair in _shuffled([p for p in pairs if labs[p[0].drill] == topology], rng)]
    first_on = {labs[pair[0].drill]: pair[0].drill for pair in reversed(grouped)}
    return tuple(
        _task(number, day, entry, library[entry.drill], labs[entry.drill], fresh=entry.drill in first_on.values())
        for number, entry in enumerate((entry for pair in grouped for entry in pair), 1)
    )


def seconds(planned: Sequence[Task]) -> float:
    """How long the day is likely to take."""
    return sum(task.seconds + SETTLE_S for task in planned)


def _entry(path: Path, entry: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"drill": entry} if isinstance(entry, str) else dict(entry)
    if unknown := set(fields) - set(Entry.__dataclass_fields__):
        raise InvalidGameDayError(f"{path}: unknown in an entry: {', '.join(sorted(unknown))}; there are drill, sham and phases")
    return fields


def _checked(path: Path, day: GameDay) -> GameDay:
    if not day.entries:
        raise InvalidGameDayError(f"{path} has no entries: list drills, or `{ALL}`")
    if not 0 <= day.sham_share <= 1:
        raise InvalidGameDayError(f"{path}: sham_share is {day.sham_share:g}; it is a share of the drills, 0 to 1")
    if day.settle_s < 0 or day.repeats < 0 or day.limit_min <= 0:
        raise InvalidGameDayError(f"{path}: settle_s and repeats are 0 or more, limit_min is above 0")
    listed = Counter((entry.drill, entry.sham) for entry in day.entries)
    if twice := sorted({drill for (drill, _), times in listed.items() if times > 1}):
        raise InvalidGameDayError(f"{path} lists {', '.join(twice)} more than once: a drill and its sham twin run once each in a game day")
    for lengths in (day.phases, *(entry.phases for entry in day.entries)):
        try:
            plans.phases(lengths)
        except ValueError as error:
            raise InvalidGameDayError(f"{path}: {error}") from error
    return day


def _pairs(day: GameDay, library: Mapping[str, Extension], rng: random.Random) -> list[tuple[Entry, ...]]:
    """Each drill after its twin, if it gets one, so that it can be judged beside it; a twin of no drill stands alone."""
    drills, shams = (_named(day, library, sham=sham) for sham in (False, True))
    lacking = [name for name in drills if name not in shams]
    drawn = rng.sample(sorted(lacking), round(day.sham_share * len(lacking)))
    shams |= {name: replace(drills[name], sham=True) for name in drawn}
    return [tuple(entries[name] for entries in (shams, drills) if name in entries) for name in sorted(drills | shams)]


def _named(day: GameDay, library: Mapping[str, Extension], *, sham: bool) -> dict[str, Entry]:
    """Drill -> its entry; `all` is what is not named by itself."""
    listed = [entry for entry in day.entries if entry.sham == sham]
    named = {entry.drill: entry for entry in listed if entry.drill != ALL}
    rest: Iterator[Entry] = (replace(entry, drill=name) for entry in listed if entry.drill == ALL for name in library)
    return {entry.drill: entry for entry in rest} | named


def _shuffled(items: Sequence[_Item], rng: random.Random) -> tuple[_Item, ...]:
    return tuple(rng.sample(items, len(items)))


def _topology(name: str, extension: Extension, first: str) -> str:
    """`first` if it has all that the drill needs, else another one that does."""
    fitting = [topology for topology in TOPOLOGIES if not extension.missing(components(TOPOLOGIES[topology], 0))]
    if not fitting:
        raise InvalidGameDayError(f"no topology has all that {name} needs: {', '.join(extension.missing(()))}")
    return first if first in fitting else fitting[0]


def _task(number: int, day: GameDay, entry: Entry, extension: Extension, topology: str, *, fresh: bool) -> Task:
    """A drill that is `fresh`, the first on its lab, has the usual lengths: burn alerts need a minute of history."""
    common = {} if fresh else day.phases
    own = {name: length for name, length in common.items() if name not in extension.phases} | entry.phases
    load_s = plans.phases(extension.phases | own)[-1].end
    expected = SHAM_VERDICT if entry.sham else extension.expected_verdict
    violations = () if entry.sham else extension.predicted_violations
    return Task(number, entry.drill, entry.sham, topology, expected, load_s + AROUND_S, own, violations)
