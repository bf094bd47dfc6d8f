from __future__ import annotations

import numpy as np
import pytest

from postmortems.diagnosis.scoring import MOST, deviations, strength

NORMAL = np.array([9.0, 10, 11, 10, 9, 11, 10])


def test_a_drop_counts_as_much_as_a_rise():
    rise, drop = deviations(NORMAL, np.array([50.0])), deviations(NORMAL, np.array([-30.0]))
    assert rise == -drop == pytest.approx(40 / 1.4826)
    assert strength(rise) == strength(drop)


def test_an_outlier_of_the_normal_period_hides_nothing():
    assert deviations(np.append(NORMAL, 10_000.0), np.array([50.0])) > 20


def test_a_constant_signal_says_nothing():
    assert deviations(np.full(5, 3.0), np.full(4, 3.0)) == 0


def test_a_signal_that_never_moved_and_moves_now_is_as_strange_as_can_be():
    assert deviations(np.zeros(5), np.array([-2.0])) == -MOST


def test_a_small_change_of_a_steady_share_is_small():
    """1 % of failures is not as strange as 50 %, although both never happened before."""
    little, much = (deviations(np.zeros(9), np.array([share]), least=0.01, share=True) for share in (0.01, 0.5))
    assert (little, much) == (pytest.approx(1), pytest.approx(50))
    assert deviations(np.full(9, 100.0), np.array([50.0]), least=0.01, share=True) == pytest.approx(-50)


def test_a_share_that_rounding_put_above_1_is_still_of_1():
    assert deviations(np.ones(9), np.array([0.5, 1 + 1e-9]), least=0.01, share=True) == pytest.approx(-25, rel=1e-3)


@pytest.mark.parametrize("anomalous", [[], [np.nan]])
def test_what_was_not_measured_is_no_evidence(anomalous):
    assert deviations(NORMAL, np.array(anomalous)) == 0


def test_two_values_are_no_normal_period():
    assert deviations(np.array([1.0, np.nan, 2.0]), np.array([50.0])) == 0
