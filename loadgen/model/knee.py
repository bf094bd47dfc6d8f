"""The knee: the highest load that meets the objectives and goes on to. Looked for on short stairs, then between the last that did and the first that did not, then held. Pure.

A short stair flatters: what fills slowly (queues, caches, the budgets of retries) is not full after seconds. So what the stairs found is held
for a minute, and given up step by step until it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

FIRST, GROWTH = 0.75, 1.35
"""The first stair, as a share of the preset's rates, and how many times the stair before a stair is."""
PRECISE = 1.12
"""The stairs have told enough when the lowest that is too high is no more than this many times the highest that is not."""
LOWEST = 0.05
TRIES = 2
"""Of a stair whose measurement is invalid: once may be an accident of the machine, twice is where this generator ends."""
STAIRS_MAX, HOLDS_MAX = 12, 5
GIVE_UP = 0.8
"""Of a load that did not hold, so much is held next."""

Outcome = Literal["meets", "misses", "invalid"]


@dataclass(frozen=True)
class Stair:
    """`share` of the preset's rates that was offered, and what is to be said of it: which objectives it missed, or why it is invalid.

    A stair takes seconds; one that is `held`, a minute.
    """

    share: float
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    held: bool = False


@dataclass(frozen=True)
class Step:
    """What to measure next."""

    share: float
    held: bool = False


@dataclass(frozen=True)
class Knee:
    """`share` is None when no load met the objectives for a minute. `limited_by` is what the lowest load above it missed; `generator` when
    that one was invalid, so that the service may carry more; `nothing` when none was too high, of as many as there may be.
    """

    share: float | None
    limited_by: Literal["objectives", "generator", "nothing"]
    reasons: tuple[str, ...]


def next_step(stairs: Sequence[Stair]) -> Step | None:
    """None when enough is known."""
    short, held = _split(stairs)
    share = _next_stair(short) if not held else None
    return Step(share) if share is not None else _next_hold(short, held)


def found(stairs: Sequence[Stair]) -> Knee:
    """What the stairs say."""
    short, held = _split(stairs)
    share = held[-1].share if held and held[-1].outcome == "meets" else None
    failed = [stair for stair in held if stair.outcome != "meets" and stair.share != share]
    above = failed[-1] if failed else _too_high(short)
    if above is None:
        return Knee(share, "nothing", ())
    return Knee(share, "generator" if above.outcome == "invalid" else "objectives", above.reasons)


def _split(stairs: Sequence[Stair]) -> tuple[list[Stair], list[Stair]]:
    return [stair for stair in stairs if not stair.held], [stair for stair in stairs if stair.held]


def _next_stair(stairs: Sequence[Stair]) -> float | None:
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


def _next_hold(stairs: Sequence[Stair], held: Sequence[Stair]) -> Step | None:
    low, _ = _bounds(stairs)
    if low is None or len(held) >= HOLDS_MAX:
        return None
    if not held:
        return Step(low, held=True)
    if held[-1].outcome == "meets":
        return None
    share = held[-1].share if _once_invalid(held) else _rounded(held[-1].share * GIVE_UP)
    return Step(share, held=True) if share >= LOWEST else None


def _too_high(stairs: Sequence[Stair]) -> Stair | None:
    """The lowest of the short stairs that did not meet the objectives, as it was last measured."""
    _, high = _bounds(stairs)
    return next((stair for stair in reversed(stairs) if stair.share == high and stair.outcome != "meets"), None)


def _bounds(stairs: Sequence[Stair]) -> tuple[float | None, float | None]:
    """The highest share that was not too high, and the lowest that was: a stair that is lucky above one that is not proves nothing."""
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
