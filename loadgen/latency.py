"""Percentiles over operations, from the intended start of a request.

They cover answers that were as wanted, and requests nobody saw the answer of: those enter as lower bounds, never below the
client's timeout. Errors that came back fast are counted elsewhere, not timed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from hdrh.histogram import HdrHistogram

from loadgen.history import Operation

_LONGEST_US, _DIGITS = 120_000_000, 3


@dataclass(frozen=True)
class Latency:
    """Milliseconds; null where nothing was measured or the measurement may not be believed."""

    p50: float | None = None
    p99: float | None = None
    p999: float | None = None


def percentiles(operations: Iterable[Operation]) -> Latency:
    """From an HDR histogram of three digits."""
    values = milliseconds(operations)
    if not values:
        return Latency()
    histogram = HdrHistogram(1, _LONGEST_US, _DIGITS)
    for value in values:
        histogram.record_value(min(_LONGEST_US, max(1, round(value * 1000))))
    at = histogram.get_percentile_to_value_dict([50.0, 99.0, 99.9])
    return Latency(*(round(at[p] / 1000, 3) for p in (50.0, 99.0, 99.9)))


def nearest_rank(values: Iterable[float], quantile: float) -> float | None:
    """Exact, for the few values of one second; None when there are none."""
    ordered = sorted(values)
    return round(ordered[max(0, math.ceil(quantile * len(ordered)) - 1)], 3) if ordered else None


def milliseconds(operations: Iterable[Operation]) -> list[float]:
    """Latency of each operation that has one, or the lower bound that is known."""
    return [_at_least(o) if o.censored else o.response_ms or 0.0 for o in operations if o.censored or o.type == "ok"]


def _at_least(operation: Operation) -> float:
    return max(operation.response_ms or 0.0, operation.timeout_s * 1000)
