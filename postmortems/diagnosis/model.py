"""A case as diagnosis sees it: signals of a normal and of an anomalous period, who calls whom, and what was noticed first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

SCHEMA = "failwhale/diagnosis/v1"
Values = npt.NDArray[np.float64]
Family = Literal["latency", "errors", "availability", "traffic", "resource"]
WORSE: dict[Family, int] = {"latency": 1, "errors": 1, "availability": -1, "traffic": 0, "resource": 0}
"""The direction that harms a caller; 0 where either may be a sign."""
_WORDS: tuple[tuple[Family, tuple[str, ...]], ...] = (
    ("latency", ("latency", "duration", "seconds", "response_time", "delay")),
    ("errors", ("error", "fail", "fault", "missing", "complain", "slow_time")),
    ("availability", ("availab", "success", "hit_share")),
    ("traffic", ("per_second", "requests", "workload", "rate_of", "ops")),
)
_OF_A_WHOLE = ("_share", "_ratio")
_COUNTED = ("per_second", "_total", "_count")
"""What says so in its name is no share, also of errors."""
GAP = "calls_gap_seconds"
"""Of the calls from one component to another: seconds that the caller waited less those that the callee says it took."""


class BadFileError(Exception):
    """A file is not what docs/diagnosis.md describes; the message says where and why."""


@dataclass(frozen=True, eq=False)
class Series:
    """One signal. `component` serves it; `caller`, where there is one, saw it: then it is of the calls from `caller` to `component`.

    A signal of what a component itself calls, without saying whom, has `outgoing`: it is a consequence and blames nobody.
    `normal` and `anomalous` are values in the order of time, NaN where there was none.
    """

    component: str
    metric: str
    normal: Values
    anomalous: Values
    caller: str = ""
    outgoing: bool = False

    @property
    def family(self) -> Family:
        return family(self.metric)

    @property
    def is_share(self) -> bool:
        counted = any(word in self.metric.lower() for word in _COUNTED)
        return self.metric.endswith(_OF_A_WHOLE) or (self.family in ("errors", "availability") and not counted)

    @property
    def name(self) -> str:
        """As people read it."""
        if self.metric == GAP:
            return f"{GAP} (what {self.caller} waits beyond what it says it took: on the way to it, or queued before it)"
        return f"{self.metric} of the calls from {self.caller}" if self.caller else self.metric


@dataclass(frozen=True)
class Symptom:
    """What was noticed: a component and the kind of signal."""

    component: str
    family: Family = "latency"


@dataclass(frozen=True, eq=False)
class Case:
    """`calls` are (caller, callee). A case of which nobody told a symptom is asked for one (walking.asked)."""

    series: tuple[Series, ...]
    calls: frozenset[tuple[str, str]] = frozenset()
    symptom: Symptom | None = None

    @property
    def components(self) -> tuple[str, ...]:
        """All that are named, in alphabetical order."""
        return tuple(sorted({s.component for s in self.series} | {s.caller for s in self.series if s.caller}))


class Ranked(msgspec.Struct, frozen=True, rename={"reasons_for": "for", "reasons_against": "against"}):
    """A component, how strongly it is suspected, and why; scores compare within one diagnosis."""

    component: str
    score: float
    reasons_for: tuple[str, ...] = ()
    reasons_against: tuple[str, ...] = ()


def family(metric: str) -> Family:
    """What a metric's name says it measures."""
    lower = metric.lower()
    return next((kind for kind, words in _WORDS if any(word in lower for word in words)), "resource")


class Suspect(msgspec.Struct, frozen=True):
    """A component and how strongly it is suspected."""

    component: str
    score: float


class Diagnosed(msgspec.Struct, frozen=True):
    """A diagnosis beside the truth, which it did not see. `truth_rank` is the best place of a component that was hit, None when it is not among `ranked`."""

    ranked: tuple[Suspect, ...]
    truth: tuple[str, ...]
    truth_rank: int | None
    no_cause: bool
