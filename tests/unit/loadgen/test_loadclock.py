from __future__ import annotations

import time

import pytest

from loadgen.loadclock import LoadClock


def test_load_seconds_count_from_t0_and_are_negative_before_it():
    assert LoadClock.anchored(time.time() + 100).seconds() == pytest.approx(-100, abs=1)


def test_unix_time_of_a_load_second_is_the_plans_t0_plus_it():
    assert LoadClock(t0=1000.0, anchor=0.0).unix(12.5) == 1012.5
