"""Named load shapes, laid over the phases of a plan."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from loadgen.model.arrivals import Curve, Piece, Shape
from reference_app.contract.plan import Phase


@dataclass(frozen=True)
class Level:
    """Requests per second at rest and at the height of the event."""

    base: float
    peak: float

    def scaled(self, share: float) -> Level:
        """This share of it."""
        return Level(self.base * share, self.peak * share)


@dataclass(frozen=True)
class Preset:
    """`user_timeline_share` of the reads ask for one author's tweets, the others for a home page."""

    name: str
    label: str
    reads: Level
    posts: Level
    user_timeline_share: float
    reader_exponent: float
    author_exponent: float
    """Zipf exponents of who reads and who posts or is looked at."""

    def scaled(self, share: float) -> Preset:
        """The same event with this share of its requests."""
        return replace(self, reads=self.reads.scaled(share), posts=self.posts.scaled(share))


GOAL = Preset(
    name="goal",
    label="a goal is scored: reads x 4, posts x 8. Write-heavy on purpose (10 : 1, where Twitter saw 50 : 1 in 2013), so that a short run has enough posts to audit",
    reads=Level(40, 160),
    posts=Level(2, 16),
    user_timeline_share=0.05,
    reader_exponent=1.2,
    author_exponent=1.3,
)
PRESETS = {GOAL.name: GOAL}


class UnknownPresetError(Exception):
    """No preset has that name."""


def named(name: str) -> Preset:
    """The preset of that name; UnknownPresetError lists what there is."""
    if name not in PRESETS:
        raise UnknownPresetError(f"there is no load preset {name!r}; there is {', '.join(PRESETS)}")
    return PRESETS[name]


def curve(level: Level, phases: tuple[Phase, ...]) -> Curve:
    """The rate over the phases of a plan: base, a linear ramp, the plateau around the fault, an exponential return to base."""
    return Curve(tuple(_piece(level, phase) for phase in phases if phase.end > phase.start))


def people_at(second: float, preset: Preset, phases: tuple[Phase, ...], *, peak: int) -> int | None:
    """How many people there are at that second when `peak` are there at the height of the event; None after the end."""
    if second >= phases[-1].end:
        return None
    return max(1, math.ceil(peak * curve(preset.reads, phases).rate(second) / preset.reads.peak))


def _piece(level: Level, phase: Phase) -> Piece:
    first, last, shape = _course(level, phase.name)
    return Piece(phase.start, phase.end, first, last, shape)


def _course(level: Level, phase: str) -> tuple[float, float, Shape]:
    courses: dict[str, tuple[float, float, Shape]] = {
        "warmup": (level.base, level.base, "linear"),
        "baseline": (level.base, level.base, "linear"),
        "ramp": (level.base, level.peak, "linear"),
        "decay": (level.peak, level.base, "exponential"),
    }
    return courses.get(phase, (level.peak, level.peak, "linear"))
