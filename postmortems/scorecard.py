"""The score card as data: drills, cells of the coverage matrix, groups of drills with intervals, and what fired in vain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from postmortems.diagnosis.hits import Hits

SCHEMA = "failwhale/score/v1"
Sort = Literal["crash", "grey"]
CRASHES = frozenset({"kill", "kill_and_hold", "crash_loop"})
"""Faults after which a process is gone. All others are grey: whatever was hit still runs, and does wrong or nothing."""


@dataclass(frozen=True)
class Share:
    """A count, of how many, and Wilson's 95 % interval."""

    count: int
    of: int
    low: float
    high: float


@dataclass(frozen=True)
class Times:
    """Seconds from the fault to the first alert that told of it, over the drills in which one did or ought to have: what was missed is later than any,
    and a time that is reached by nobody is None.
    """

    n: int
    median: float | None
    p90: float | None


@dataclass(frozen=True)
class DrillScore:
    """All runs of one drill. `after_s` and `right_after_s` are medians; `alerts` those that told first, the most frequent first."""

    drill: str
    sort: Sort
    kinds: tuple[str, ...]
    components: tuple[str, ...]
    runs: int
    inconclusive: int
    invalid: int
    expects_alerts: bool
    detected_runs: int
    right_runs: int
    itself_runs: int
    alerts: tuple[str, ...]
    after_s: float | None
    after_scrapes: float | None
    right_after_s: float | None
    missed: tuple[str, ...]
    unexpected: tuple[str, ...]

    @property
    def detected(self) -> bool:
        return 2 * self.detected_runs > self.runs

    @property
    def right(self) -> bool:
        return 2 * self.right_runs > self.runs

    @property
    def itself(self) -> bool:
        return 2 * self.itself_runs > self.runs


@dataclass(frozen=True)
class Cell:
    """A kind of fault at a group of components. A drill of several faults is in the cell of each."""

    kind: str
    component: str
    drills: int
    detected: int
    right: int
    alerts: tuple[str, ...]
    after_s: float | None


@dataclass(frozen=True)
class Group:
    """Crashes, grey faults, or all."""

    drills: int
    detected: Share
    right_component: Share
    itself: Share
    ttd: Times


@dataclass(frozen=True)
class Quiet:
    """What fired while nothing was broken: in shams and runs without a fault, and before the fault in all others."""

    sham_runs: int
    sham_runs_with_any: Share
    sham_runs_with_a_page: Share
    in_shams: int
    per_sham_run: float | None
    hours: float
    in_quiet_time: int
    pages_in_quiet_time: int
    per_hour: float | None
    alerts: tuple[str, ...]


@dataclass(frozen=True)
class ScoreCard:
    """Everything that is said of a set of runs. `without_fault` are runs that should have had one and had none, `without_result` drills that left
    none and are not among the runs.
    """

    runs: int
    without_fault: int
    without_result: int
    inconclusive: int
    invalid: int
    every: Group
    expecting: Group
    by_sort: dict[Sort, Group]
    quiet: Quiet
    diagnosis: dict[str, Hits]
    per_drill: tuple[DrillScore, ...]
    matrix: tuple[Cell, ...]
