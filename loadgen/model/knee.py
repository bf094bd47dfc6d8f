"""The knee: the highest load that still meets the objectives, looked for on stairs and then between the last that did and the first that did not. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

FIRST, GROWTH = 0.75, 1.35
"""The first stair, as a share of the preset's rates, and how many times the stair before a stair is."""
PRECISE = 1.06
"""Enough is known when the lowest stair that is too high is no more than this many times the highest that is not: stairs of some seconds differ
by that."""
LOWEST = 0.05
TRIES = 2
"""Of a stair whose measurement is invalid: once may be an accident of the machine, twice is where this generator ends."""
STAIRS_MAX = 12

Outcome = Literal["meets", "misses", "invalid"]


@dataclass(frozen=True)
class Stair:
    """`share` of the preset's rates that was offered, and what is to be said of it: which objectives it missed, or why it is invalid."""

    share: float
    outcome: Outcome
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Knee:
    """`share` is None when no stair met the objectives. `limited_by` is what the lowest stair above missed; `generator` when that one was
    invalid, so that the service may carry more; `nothing` when no stair was too high, within as many as there may be.
    """

    share: float | None
    limited_by: Literal["objectives", "generator", "nothing"]
    reasons: tuple[str, ...]


def next_share(stairs: Sequence[Stair]) -> float | None:
    """Where to measure next; None when enough is known."""
    if not stairs:
        return FIRST
    if len(stairs) >= STAIRS_MAX:
        return None
    if _once_invalid(stairs):
        return stairs[-1].share
    low, high = _bounds(stairs)
    if high is None:
        return _rounded(stairs[-1].share * GROWTH)
    if low is None:
        return _rounded(high / 2) if high / 2 >= LOWEST else None
    return _rounded((low * high) ** 0.5) if high / low > PRECISE else None


def found(stairs: Sequence[Stair]) -> Knee:
    """What the stairs say."""
    low, high = _bounds(stairs)
    if high is None:
        return Knee(low, "nothing", ())
    above = [stair for stair in stairs if stair.share == high and stair.outcome != "meets"][-1]
    return Knee(low, "generator" if above.outcome == "invalid" else "objectives", above.reasons)


def _bounds(stairs: Sequence[Stair]) -> tuple[float | None, float | None]:
    """The lowest share that was too high, and the highest below it that was not: a stair that is lucky above one that is not proves nothing."""
    high = min((stair.share for stair in stairs if stair.outcome != "meets" and not _repeated_well(stairs, stair)), default=None)
    low = max((stair.share for stair in stairs if stair.outcome == "meets" and (high is None or stair.share < high)), default=None)
    return low, high


def _repeated_well(stairs: Sequence[Stair], invalid: Stair) -> bool:
    """True for an invalid measurement that was repeated with a valid one."""
    return invalid.outcome == "invalid" and any(stair.share == invalid.share and stair.outcome != "invalid" for stair in stairs)


def _once_invalid(stairs: Sequence[Stair]) -> bool:
    last = stairs[-1]
    return last.outcome == "invalid" and sum(stair.share == last.share for stair in stairs) < TRIES


def _rounded(share: float) -> float:
    return round(share, 3)
