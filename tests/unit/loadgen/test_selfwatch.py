from __future__ import annotations

import pytest

from loadgen.selfwatch import Cpu, SelfWatch


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
        watch.beat(now, now)
    assert (watch.stalls, watch.longest_stall_ms) == (1, pytest.approx(300))


def test_beats_a_little_late_and_stalls_during_the_warm_up_do_not_count(watch):
    for now in (1.0, 5.0, 5.05, 9.95, 10.0, 10.29, 10.58):
        watch.beat(now, now)
    assert watch.stalls == 0


@pytest.mark.parametrize("beats", [(9.0, 12.0), (99.5, 103.0)])
def test_a_stall_over_the_edge_of_the_recorded_phases_counts(watch, beats):
    for now in beats:
        watch.beat(now, now)
    assert watch.stalls == 1


def test_a_stall_without_cpu_is_a_pause_and_one_that_computes_is_none(watch):
    for now, used in ((20.0, 1.0), (22.0, 1.01), (22.05, 1.02), (24.05, 2.9)):
        watch.beat(now, used)
    assert (watch.stalls, watch.pauses) == (2, 1)


@pytest.mark.parametrize("step", [3600.0, -7.0])
def test_a_step_of_the_wall_clock_is_the_farthest_it_went_from_the_monotonic_one(watch, step):
    for second, moved in ((-2.0, 0.0), (5.0, 0.01), (20.0, step), (30.0, 0.0)):
        watch.clocks(second, 1_790_000_000.0 + second + moved)
    assert watch.clock_step_s == pytest.approx(step)


def test_the_cpu_peak_is_the_busiest_five_seconds(watch):
    used = 0.0
    for second in range(30):
        used += 0.9 if 10 <= second < 15 else 0.1
        watch.cpu(Cpu(20 + second, used, waited_s=used / 2))
    assert watch.cpu_peak == pytest.approx(0.9)
    assert watch.cpu_wait_peak == pytest.approx(0.45)
    assert watch.cpu_mean == pytest.approx((0.9 * 5 + 0.1 * 24) / 29, abs=0.001)


def test_without_samples_the_cpu_is_unknown(watch):
    watch.cpu(Cpu(1.0, 1.0))
    assert watch.cpu_peak is None


def test_a_load_shorter_than_the_window_has_its_mean_as_peak(watch):
    watch.cpu(Cpu(20, 1.0))
    watch.cpu(Cpu(22, 2.0))
    assert watch.cpu_peak == watch.cpu_mean == 0.5
