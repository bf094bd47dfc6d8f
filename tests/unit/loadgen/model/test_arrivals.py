from __future__ import annotations

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


def test_gaps_between_arrivals_vary_as_those_of_a_poisson_process():
    times = list(arrivals.arrivals(Curve((Piece(0, 1000, 50, 50),)), arrivals.stream(1, "t")))
    per_second = [0] * 1000
    for t in times:
        per_second[int(t)] += 1
    mean = len(times) / 1000
    variance = sum((n - mean) ** 2 for n in per_second) / 999
    assert variance / mean == pytest.approx(1, abs=5 * math.sqrt(2 / 999))  # index of dispersion, 5 standard errors


def test_streams_of_one_seed_do_not_depend_on_one_another():
    assert arrivals.stream(1, "a").random() == arrivals.stream(1, "a").random()
    assert arrivals.stream(1, "a").random() != arrivals.stream(1, "b").random()
    assert arrivals.stream(1, "a").random() != arrivals.stream(2, "a").random()
