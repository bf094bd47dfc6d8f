from __future__ import annotations

import pytest

from dashboards.rules import windows
from dashboards.rules.windows import Window, WindowError, Windows

(LAB_PAIR,) = windows.LAB.pairs


@pytest.mark.parametrize(
    ("objective", "share", "seconds"),
    [(0.999, 0.33, 3), (0.999, 0.1, 9), (0.999, 0.03, 29), (0.99, 0.5, 17), (0.99, 0.33, 26)],
)
def test_the_lab_pair_fires_after_the_documented_seconds(objective: float, share: float, seconds: int) -> None:
    fires_after = windows.seconds_to_fire(LAB_PAIR, objective=objective, error_share=share)
    assert fires_after is not None
    assert round(fires_after) == seconds


@pytest.mark.parametrize(("objective", "share"), [(0.999, 0.01), (0.999, 0.0144), (0.99, 0.1), (0.99, 0.0)])
def test_a_share_at_or_below_the_threshold_never_fires(objective: float, share: float) -> None:
    assert windows.seconds_to_fire(LAB_PAIR, objective=objective, error_share=share) is None


def test_two_percent_take_longer_than_a_fault_lasts() -> None:
    assert (windows.seconds_to_fire(LAB_PAIR, objective=0.999, error_share=0.02) or 0) > 40


def test_a_rule_that_can_never_fire_is_refused_with_the_arithmetic() -> None:
    with pytest.raises(WindowError) as raised:
        windows.check(LAB_PAIR, slo="easy", objective=0.9)
    assert "easy: 14.4 x (1 - 0.9) = 1.44" in str(raised.value)
    assert "raise the objective above 0.9306" in str(raised.value)


def test_production_pairs_spend_two_five_ten_and_ten_percent_of_thirty_days() -> None:
    spent = [pair.factor * pair.long_s / (30 * windows.DAY) for pair in windows.PRODUCTION.pairs]
    assert [round(share, 3) for share in spent] == [0.02, 0.05, 0.1, 0.1]
    assert {pair.long_s / pair.short_s for pair in windows.PRODUCTION.pairs} == {12}


def test_a_short_window_must_be_shorter() -> None:
    with pytest.raises(WindowError, match="must be shorter"):
        Window("page", 60, 60, 14.4)


def test_a_burn_rate_that_leaves_budget_over_is_no_burn() -> None:
    with pytest.raises(WindowError, match=r"at least 0\.9"):
        Window("page", 60, 5, 0.5)


def test_a_window_of_too_few_scrapes_is_refused() -> None:
    with pytest.raises(WindowError, match=r"5 s holds 2 scrapes of 2 s; it needs 4"):
        Windows(scrape_s=2, evaluation_s=1, min_bad_events=5, hold_s=10, pairs=windows.LAB.pairs)


def test_each_window_is_recorded_once() -> None:
    assert windows.LAB.lengths_s == (5, 60)
    assert len(windows.PRODUCTION.lengths_s) == 7


@pytest.mark.parametrize(
    ("days", "factors"),
    [(30, [14.4, 6, 3, 1]), (28, [13.44, 5.6, 2.8, 0.933]), (90, [43.2, 18, 9, 3])],
)
def test_factors_follow_the_period(days: int, factors: list[float]) -> None:
    assert [round(pair.factor, 3) for pair in windows.production(days * windows.DAY).pairs] == factors


def test_a_period_too_short_for_the_windows_shortens_them_and_keeps_what_is_spent() -> None:
    pairs = windows.production(7 * windows.DAY).pairs
    assert [pair.factor for pair in pairs] == [14.4, 6, 3, 1]
    assert [pair.long_s for pair in pairs] == [840, 5040, 20160, 60480]
    assert [round(windows.spent(pair, 7 * windows.DAY), 6) for pair in pairs] == [0.02, 0.05, 0.1, 0.1]


def test_a_period_whose_windows_hold_too_few_scrapes_is_refused() -> None:
    with pytest.raises(WindowError, match="it needs 4"):
        windows.production(windows.DAY)
