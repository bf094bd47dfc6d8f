"""Percentiles with intervals that assume nothing of how values are spread."""

from __future__ import annotations

import random

import pytest

from failwhale.bench import model
from failwhale.bench.model import Interval


def test_the_largest_of_300_values_bounds_the_99th_percentile() -> None:
    values = [float(n) for n in range(1, 301)]
    found = model.percentile(random.Random(1).sample(values, len(values)), 0.99)
    assert (found.value, found.high) == (297.0, 300.0)
    assert 290 <= found.low < 297


@pytest.mark.parametrize(("q", "expected"), [(0.5, 2.0), (0.99, 3.0), (1.0, 3.0)])
def test_of_few_values_it_is_one_of_them(q: float, expected: float) -> None:
    assert model.percentile([3.0, 1.0, 2.0], q).value == expected
    assert model.percentile([7.0], q) == Interval(7.0, 7.0, 7.0)


def test_the_interval_of_a_median_holds_the_true_one_nineteen_times_of_twenty() -> None:
    rng = random.Random(2)
    intervals = [model.percentile([rng.random() for _ in range(100)], 0.5) for _ in range(400)]
    held = sum(found.low <= 0.5 <= found.high for found in intervals) / len(intervals)
    assert 0.92 <= held <= 0.99
