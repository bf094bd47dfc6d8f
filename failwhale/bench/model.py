"""What a benchmark is and what came of it. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

SCHEMA = "failwhale/bench/v1"
PAIRS, QUICK_PAIRS = 20, 4
Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Interval:
    """A value and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Terms:
    """How a benchmark is to run. A quick one takes few pairs, to see that it works: no bar is passed or missed by it."""

    say: Callable[[str], None]
    quick: bool = False

    @property
    def pairs(self) -> int:
        """Pairs of windows to measure."""
        return QUICK_PAIRS if self.quick else PAIRS


@dataclass(frozen=True)
class Measured:
    """What a benchmark found: the ratio over `repeats` windows or operations, and figures whose names end in their units.

    `holds` is False when the bar cannot be passed whatever the ratio, because something else that has to be true is not.
    """

    ratio: Interval | None
    repeats: int
    absolute: Mapping[str, Any] = field(default_factory=dict)
    holds: bool = True


@dataclass(frozen=True)
class Bench:
    """`meaning` is a sentence, `against` names the yardstick; a `bar` of None means that the figures are told and not judged.

    `page` is the one below docs/ that tells its figures, where it has one of its own.
    """

    name: str
    meaning: str
    better: Better
    against: str
    bar: float | None
    run: Callable[[Terms], Measured]
    page: str = ""


@dataclass(frozen=True)
class Result:
    """A result as it is kept and printed. `passed` is None when there is no bar, no ratio, or the run was a quick one."""

    ratio: float | None
    low: float | None
    high: float | None
    better: Better
    against: str
    repeats: int
    absolute: Mapping[str, Any]
    bar: float | None
    passed: bool | None


def judged(bench: Bench, measured: Measured, *, quick: bool) -> Result:
    """The result, with the bar passed only when the whole interval clears it."""
    ratio = measured.ratio
    passed = None if quick or ratio is None or bench.bar is None else measured.holds and clears(ratio, bench.better, bench.bar)
    value, low, high = (None, None, None) if ratio is None else (ratio.value, ratio.low, ratio.high)
    return Result(value, low, high, bench.better, bench.against, measured.repeats, measured.absolute, bench.bar, passed)


def clears(ratio: Interval, better: Better, bar: float) -> bool:
    """True when every value of the interval is on the good side of the bar; what is not finite is not."""
    if not (math.isfinite(ratio.low) and math.isfinite(ratio.high)):
        return False
    return ratio.low >= bar if better == "higher" else ratio.high <= bar


def ratio_of(pairs: Sequence[tuple[float, float]]) -> Interval:
    """Geometric mean of first / second over the pairs, with Student's interval of its logarithm."""
    return geometric([first / second for first, second in pairs])


def geometric(values: Sequence[float]) -> Interval:
    """Geometric mean with its 95 % interval. Raises ValueError for less than two values or one that is not above zero."""
    if len(values) < 2 or min(values) <= 0:
        raise ValueError(f"an interval needs two or more values above zero, not {list(values)}")
    logs = [math.log(value) for value in values]
    mean = math.fsum(logs) / len(logs)
    variance = math.fsum((value - mean) ** 2 for value in logs) / (len(logs) - 1)
    reach = student_975(len(logs) - 1) * math.sqrt(variance / len(logs))
    return Interval(math.exp(mean), math.exp(mean - reach), math.exp(mean + reach))


def microseconds_over(pairs: Sequence[tuple[float, float]]) -> Interval:
    """Mean of first - second in microseconds, of pairs in seconds, with Student's interval. Raises ValueError for less than two pairs."""
    if len(pairs) < 2:
        raise ValueError(f"an interval needs two or more pairs, not {len(pairs)}")
    extra = [(first - second) * 1e6 for first, second in pairs]
    mean = math.fsum(extra) / len(extra)
    variance = math.fsum((value - mean) ** 2 for value in extra) / (len(extra) - 1)
    reach = student_975(len(extra) - 1) * math.sqrt(variance / len(extra))
    return Interval(mean, mean - reach, mean + reach)


def percentile(values: Sequence[float], q: float) -> Interval:
    """The value below which a share of `q` lies, with its 95 % interval by order statistics: nothing is assumed of how values are spread.

    The upper bound of a percentile near 1 is the largest value; it needs log(0.05) / log(q) values, 299 for the 99th, to hold.
    """
    ordered, count = sorted(values), len(values)
    reach = 1.959964 * math.sqrt(count * q * (1 - q))
    rank = math.ceil(q * count)
    low, high = math.floor(q * count - reach), math.ceil(q * count + reach) + 1
    return Interval(ordered[max(1, rank) - 1], ordered[max(1, low) - 1], ordered[min(count, high) - 1])


def student_975(degrees: int) -> float:
    """The 97.5 % point of Student's t. Below three exact, from there by the expansion around the normal one (Abramowitz & Stegun 26.7.5)."""
    if degrees < 3:
        return {1: 12.7062, 2: 4.3027}[degrees]
    z = 1.959964
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / float(degrees) ** power for power, term in enumerate(terms, start=1))
