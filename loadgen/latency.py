"""Percentiles over operations, from the intended start of a request.

They cover answers that were as wanted, and requests that were given up or have no end: those enter as lower bounds, never below the
client's timeout. Errors, connections that broke among them, are counted elsewhere, not timed, however late they came.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

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
    at = _histogram(values).get_percentile_to_value_dict([50.0, 99.0, 99.9])
    return Latency(*(round(at[p] / 1000, 3) for p in (50.0, 99.0, 99.9)))


def encoded(values_ms: Iterable[float]) -> str:
    """These values as an HDR histogram, to be merged with those of other processes."""
    return str(_histogram(values_ms).encode().decode())


def p99_of(histograms: Iterable[str]) -> float | None:
    """The 99th percentile, in milliseconds, of all the values in these histograms together; None when there are none."""
    merged = HdrHistogram(1, _LONGEST_US, _DIGITS)
    for histogram in histograms:
        merged.decode_and_add(histogram.encode())
    return round(merged.get_value_at_percentile(99.0) / 1000, 3) if merged.get_total_count() else None


def _histogram(values_ms: Iterable[float]) -> Any:
    histogram = HdrHistogram(1, _LONGEST_US, _DIGITS)
    for value in values_ms:
        histogram.record_value(min(_LONGEST_US, max(1, round(value * 1000))))
    return histogram


def nearest_rank(values: Iterable[float], quantile: float) -> float | None:
    """Exact, for the few values of one second; None when there are none."""
    ordered = sorted(values)
    return round(ordered[max(0, math.ceil(quantile * len(ordered)) - 1)], 3) if ordered else None


def milliseconds(operations: Iterable[Operation]) -> list[float]:
    """Latency of each operation that has one, or the lower bound that is known."""
    return [_at_least(o) if o.censored else o.response_ms or 0.0 for o in operations if o.censored or o.type == "ok"]


def _at_least(operation: Operation) -> float:
    return max(operation.response_ms or 0.0, operation.timeout_s * 1000)
