from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from postmortems.diagnosis import quiet, ranking
from postmortems.diagnosis.model import Case, Series

RNG = np.random.default_rng(3)
CALLS = frozenset({("gateway", "tweets"), ("tweets", "db")})


def case(seconds: int, *, slow: float = 0.01, spikes: int = 0) -> Case:
    def signal(caller: str, component: str, level: float) -> Series:
        normal = 0.01 * (1 + 0.1 * RNG.standard_normal(seconds))
        for at in RNG.integers(0, seconds, spikes):
            normal[at : at + 3] *= 20
        return Series(component, "mean_seconds", normal, level * (1 + 0.1 * RNG.standard_normal(10)), caller=caller)

    return Case((signal("gateway", "tweets", slow), signal("tweets", "db", slow)), CALLS)


def test_a_stretch_is_as_long_as_what_is_asked_about_and_the_rest_stays_normal():
    stretches = list(quiet.stretches(case(60)))
    assert len(stretches) == 6
    assert {(len(one.series[0].normal), len(one.series[0].anomalous)) for one in stretches} == {(50, 10)}


def test_of_a_short_normal_period_half_is_asked_about():
    assert {(len(one.series[0].normal), len(one.series[0].anomalous)) for one in quiet.stretches(case(15))} == {(8, 7)}


@pytest.mark.parametrize("seconds", [40, 600])
def test_what_goes_on_as_before_has_no_cause(seconds):
    assert ranking.rank(case(seconds)).no_cause


@pytest.mark.parametrize("seconds", [40, 600])
def test_what_is_ten_times_as_slow_has_one(seconds):
    assert not ranking.rank(case(seconds, slow=0.1)).no_cause


def test_a_single_storm_in_a_long_normal_period_does_not_hide_a_cause():
    """Asked about one of twelve stretches only, it is what happens now and then, and the rest is quiet."""
    stormy = case(600, slow=0.3)
    for series in stormy.series:
        series.normal[100:110] *= 500
    assert not ranking.rank(stormy).no_cause


def test_a_normal_period_that_is_as_bad_all_the_time_has_no_cause():
    assert ranking.rank(case(600, slow=0.05, spikes=60)).no_cause


def test_without_a_normal_period_there_is_nothing_to_compare_with():
    empty = dataclasses.replace(case(10).series[0], normal=np.array([]))
    assert ranking.rank(Case((empty,))).no_cause
