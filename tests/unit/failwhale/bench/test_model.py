from __future__ import annotations

import math
import random

import pytest

from failwhale.bench import model
from failwhale.bench.model import Bench, Better, Interval, Measured, Terms


def bench(better: Better = "lower", bar: float | None = 20.0) -> Bench:
    return Bench("reads", "What a read costs.", better, "a hello", bar, lambda _terms: Measured(None, 0))


def noisy(ratio: float, count: int = model.PAIRS) -> list[tuple[float, float]]:
    rng = random.Random(7)
    return [(ratio * rng.uniform(0.95, 1.05), rng.uniform(0.95, 1.05)) for _ in range(count)]


@pytest.mark.parametrize(("degrees", "table"), [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (10, 2.228), (19, 2.093), (60, 2.000)])
def test_students_quantile_is_the_one_in_the_tables(degrees: int, table: float) -> None:
    assert model.student_975(degrees) == pytest.approx(table, abs=0.012)


def test_the_interval_contains_the_true_ratio_in_about_95_of_100_experiments() -> None:
    rng = random.Random(1)
    hits = 0
    for _ in range(1000):
        found = model.geometric([math.exp(rng.gauss(1.0, 0.3)) for _ in range(20)])
        hits += found.low <= math.exp(1.0) <= found.high
    assert 930 <= hits <= 970


def test_a_bar_is_passed_when_the_whole_interval_clears_it() -> None:
    ratio = model.ratio_of(noisy(18.0))
    assert model.judged(bench(), Measured(ratio, 20), quick=False).passed is True
    assert model.judged(bench("higher", bar=15), Measured(ratio, 20), quick=False).passed is True


def test_a_planted_regression_misses_the_bar() -> None:
    result = model.judged(bench(), Measured(model.ratio_of(noisy(18.0 * 1.3)), 20), quick=False)
    assert result.passed is False
    assert result.low is not None
    assert result.low > 20


@pytest.mark.parametrize("interval", [Interval(19, 18, 20.1), Interval(19, 18, math.inf), Interval(19, math.nan, math.nan)])
def test_a_value_on_the_good_side_whose_interval_is_not_misses_the_bar(interval: Interval) -> None:
    assert model.judged(bench(), Measured(interval, 20), quick=False).passed is False
    assert model.judged(bench("higher", bar=18.5), Measured(interval, 20), quick=False).passed is False


def test_without_bar_or_ratio_or_after_a_quick_run_nothing_is_judged() -> None:
    ratio = Interval(18, 17, 19)
    assert model.judged(bench(bar=None), Measured(ratio, 20), quick=False).passed is None
    assert model.judged(bench(), Measured(None, 1), quick=False).passed is None
    assert model.judged(bench(), Measured(ratio, 4), quick=True).passed is None


def test_an_interval_of_one_value_or_of_nothing_is_refused() -> None:
    for values in ([], [1.0], [1.0, 0.0]):
        with pytest.raises(ValueError, match="two or more values above zero"):
            model.geometric(values)


def test_a_run_that_is_not_quick_takes_at_least_20_pairs() -> None:
    assert Terms(say=print).pairs >= 20


def test_the_difference_is_a_mean_in_microseconds_with_an_interval_around_it() -> None:
    found = model.microseconds_over([(30e-6, 20e-6), (34e-6, 20e-6), (32e-6, 20e-6)])
    assert found.value == pytest.approx(12)
    assert found.low == pytest.approx(12 - 4.3027 * 2 / 3**0.5, abs=0.01)
    assert found.high - found.value == pytest.approx(found.value - found.low)


def test_one_pair_has_no_interval() -> None:
    with pytest.raises(ValueError, match="two or more pairs"):
        model.microseconds_over([(1.0, 0.5)])
