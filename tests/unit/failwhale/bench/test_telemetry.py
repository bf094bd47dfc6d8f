from __future__ import annotations

import re

import pytest

from failwhale.bench import telemetry
from reference_app.kit.deciders import DECIDERS, ON


def test_the_difference_is_a_mean_in_microseconds_with_an_interval_around_it() -> None:
    found = telemetry.microseconds_over([(30e-6, 20e-6), (34e-6, 20e-6), (32e-6, 20e-6)])
    assert found.value == pytest.approx(12)
    assert found.low == pytest.approx(12 - 4.3027 * 2 / 3**0.5, abs=0.01)
    assert found.high - found.value == pytest.approx(found.value - found.low)


def test_one_pair_has_no_interval() -> None:
    with pytest.raises(ValueError, match="two or more pairs"):
        telemetry.microseconds_over([(1.0, 0.5)])


def test_as_many_requests_of_the_benchmark_are_sampled_as_of_users() -> None:
    (every,) = re.findall(r"local every = (\d+)", telemetry.SCRIPT.read_text())
    assert ON // DECIDERS["trace_sampling"].default == int(every)
