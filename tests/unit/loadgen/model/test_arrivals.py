from __future__ import annotations

import itertools
import math

import pytest

from loadgen.model import arrivals
from loadgen.model.arrivals import Curve, Piece

RAMP = Piece(0, 10, 10, 30)
DECAY = Piece(10, 20, 30, 10, "exponential")
CURVE = Curve((RAMP, DECAY))


def test_a_rate_is_continuous_over_pieces_and_zero_outside_of_them():
    assert [CURVE.rate(t) for t in (-1, 0, 5, 20)] == [0, 10, 20, 0]
    assert CURVE.rate(9.999) == pytest.approx(CURVE.rate(10), rel=1e-3)
    assert DECAY.rate(15) == pytest.approx(math.sqrt(30 * 10))


@pytest.mark.parametrize("piece", [RAMP, DECAY, Piece(0, 10, 5, 5, "exponential")])
def test_the_expected_number_is_the_integral_of_the_rate(piece):
    steps = 10_000
    width = (piece.end - piece.start) / steps
    riemann = sum(piece.rate(piece.start + (i + 0.5) * width) * width for i in range(steps))
    assert piece.expected(piece.start, piece.end) == pytest.approx(riemann, rel=1e-6)


def test_the_expected_number_of_a_span_adds_up_over_pieces_and_stops_at_the_end():
    assert CURVE.expected(5, 15) == pytest.approx(RAMP.expected(5, 10) + DECAY.expected(10, 15))
    assert CURVE.expected(20, 30) == 0


def test_arrivals_come_in_order_and_lie_within_the_curve():
    times = list(arrivals.arrivals(CURVE, arrivals.stream(1, "t")))
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] < 20


@pytest.mark.parametrize("seed", range(5))
def test_every_ten_seconds_have_the_planned_number_less_than_one_more_or_less(seed):
    times = list(arrivals.arrivals(CURVE, arrivals.stream(seed, "t")))
    for start in (0, 10):
        assert abs(sum(start <= t < start + 10 for t in times) - CURVE.expected(start, start + 10)) < 1


def test_what_is_rounded_off_comes_later():
    slow = Curve((Piece(0, 1000, 0.13, 0.13),))  # 1.3 in ten seconds
    assert all(len(list(arrivals.arrivals(slow, arrivals.stream(seed, "t")))) in (130, 131) for seed in range(20))


def test_within_ten_seconds_arrivals_lie_as_the_rate_says():
    """Mean over seeds, second by second, within five standard errors."""
    seeds = 400
    counts = [0] * 20
    for seed in range(seeds):
        for t in arrivals.arrivals(CURVE, arrivals.stream(seed, "t")):
            counts[int(t)] += 1
    for second, count in enumerate(counts):
        expected = seeds * CURVE.expected(second, second + 1)
        assert count == pytest.approx(expected, abs=5 * math.sqrt(expected))


def test_arrivals_come_in_the_bunches_and_gaps_of_a_poisson_process():
    times = list(arrivals.arrivals(Curve((Piece(0, 1000, 50, 50),)), arrivals.stream(1, "t")))
    per_second = [0] * 1000
    for t in times:
        per_second[int(t)] += 1
    mean = len(times) / 1000
    variance = sum((n - mean) ** 2 for n in per_second) / 999
    fixed_in_ten = 1 - 1 / 10
    assert variance / mean == pytest.approx(fixed_in_ten, abs=5 * math.sqrt(2 / 999))  # index of dispersion, 5 standard errors
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert sum(gap > 1 / 50 for gap in gaps) / len(gaps) == pytest.approx(math.exp(-1), abs=0.01)


@pytest.mark.parametrize("piece", [RAMP, DECAY, Piece(0, 10, 0, 7), Piece(3, 5, 7, 0), Piece(0, 10, 5, 5)])
@pytest.mark.parametrize("share", [1e-9, 0.2, 0.9, 1])
def test_the_second_of_a_share_is_the_inverse_of_the_integral(piece, share):
    second = piece.second_of(share)
    assert piece.expected(piece.start, second) == pytest.approx(share * piece.expected(piece.start, piece.end))


def test_a_piece_is_cut_without_loss():
    parts = list(Piece(5, 32, 10, 30, "exponential").cut(10))
    assert [(part.start, part.end) for part in parts] == [(5, 10), (10, 20), (20, 30), (30, 32)]
    whole = Piece(5, 32, 10, 30, "exponential")
    assert sum(part.expected(0, 99) for part in parts) == pytest.approx(whole.expected(0, 99))
    assert [(part.start, part.end) for part in Piece(10, 20, 1, 1).cut(10)] == [(10, 20)]


def test_nothing_comes_while_the_rate_is_zero():
    quiet = Curve((Piece(0, 30, 0, 0), Piece(30, 40, 5, 5), Piece(40, 60, 0, 0)))
    times = list(arrivals.arrivals(quiet, arrivals.stream(1, "t")))
    assert len(times) in (50, 51)
    assert all(30 <= t < 40 for t in times)


def test_streams_of_one_seed_do_not_depend_on_one_another():
    assert arrivals.stream(1, "a").random() == arrivals.stream(1, "a").random()
    assert arrivals.stream(1, "a").random() != arrivals.stream(1, "b").random()
    assert arrivals.stream(1, "a").random() != arrivals.stream(2, "a").random()
