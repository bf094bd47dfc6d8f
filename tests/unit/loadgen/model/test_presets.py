from __future__ import annotations

import pytest

from loadgen.model import arrivals, presets
from reference_app.contract.plan import phases

SEEDS = 70
"""Enough that 3 % is five standard errors of the smallest bin: (5 / 0.03) ** 2 / 420 = 66."""


def test_goal_goes_from_base_over_a_ramp_to_the_peak_and_back():
    reads = presets.curve(presets.GOAL.reads, phases())
    assert [reads.rate(t) for t in (0, 44.9, 45, 47.5, 50, 70, 139.9)] == [40, 40, 40, 100, 160, 160, 160]
    assert reads.rate(140) == pytest.approx(160)
    assert reads.rate(159.999) == pytest.approx(40, rel=1e-3)
    posts = presets.curve(presets.GOAL.posts, phases())
    assert (posts.rate(20), posts.rate(100)) == (2, 16)


def test_the_load_before_during_and_after_the_fault_is_the_same():
    laid = {phase.name: phase for phase in phases()}
    posts = presets.curve(presets.GOAL.posts, phases())
    rates = {posts.expected(laid[name].start, laid[name].start + 20) for name in ("before", "fault", "after")}
    assert len(rates) == 1


def test_people_come_and_go_with_the_reads_of_the_preset():
    crowd = [presets.people_at(second, presets.GOAL, phases(), peak=50) for second in (0, 30, 60, 130, 159.9, 160)]
    assert crowd == [13, 13, 50, 50, 13, None]
    assert presets.people_at(0, presets.GOAL, phases(), peak=1) == 1


def test_a_phase_of_no_length_is_left_out():
    assert presets.curve(presets.GOAL.reads, phases({"warmup": 0, "ramp": 0})).rate(0) == 40


def test_arrivals_of_goal_keep_within_three_percent_of_the_plan_in_every_ten_seconds():
    curves = [presets.curve(level, phases()) for level in (presets.GOAL.reads, presets.GOAL.posts)]
    counts = [0] * 16
    for seed in range(SEEDS):
        for i, curve in enumerate(curves):
            for t in arrivals.arrivals(curve, arrivals.stream(seed, str(i))):
                counts[int(t // 10)] += 1
    for i, count in enumerate(counts):
        expected = sum(curve.expected(10 * i, 10 * i + 10) for curve in curves)
        assert count / SEEDS == pytest.approx(expected, rel=0.03), f"load seconds {10 * i} to {10 * i + 10}"


def test_an_unknown_preset_is_refused_with_what_there_is():
    with pytest.raises(presets.UnknownPresetError, match="no load preset 'gaol'; there is goal"):
        presets.named("gaol")


def test_goal_says_that_it_is_write_heavy():
    assert "rite-heavy on purpose" in presets.GOAL.label
