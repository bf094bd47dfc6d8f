from __future__ import annotations

import pytest

from loadgen.selfwatch import SelfWatch


@pytest.fixture
def watch():
    return SelfWatch(since=10, until=100)


def test_lag_is_judged_in_recorded_phases_only(watch):
    watch.sent(9.9, lag_s=3.0)
    watch.sent(100.0, lag_s=3.0)
    assert watch.lag_p99_ms is None
    for i in range(100):
        watch.sent(10 + i / 10, lag_s=i / 1000)
    assert watch.lag_p99_ms == 98


def test_a_beat_that_comes_late_is_a_stall(watch):
    for now in (20.0, 20.05, 20.40, 20.45):
        watch.beat(now)
    assert (watch.stalls, watch.longest_stall_ms) == (1, pytest.approx(300))


def test_beats_a_little_late_and_stalls_during_the_warm_up_do_not_count(watch):
    for now in (1.0, 5.0, 5.05, 9.95, 10.0, 10.29, 10.58):
        watch.beat(now)
    assert watch.stalls == 0


def test_the_cpu_peak_is_the_busiest_five_seconds(watch):
    used = 0.0
    for second in range(30):
        used += 0.9 if 10 <= second < 15 else 0.1
        watch.cpu(20 + second, used)
    assert watch.cpu_peak == pytest.approx(0.9)
    assert watch.cpu_mean == pytest.approx((0.9 * 5 + 0.1 * 24) / 29, abs=0.001)


def test_without_samples_the_cpu_is_unknown(watch):
    watch.cpu(1.0, 1.0)
    assert watch.cpu_peak is None


def test_a_load_shorter_than_the_window_has_its_mean_as_peak(watch):
    watch.cpu(20, 1.0)
    watch.cpu(22, 2.0)
    assert watch.cpu_peak == watch.cpu_mean == 0.5
