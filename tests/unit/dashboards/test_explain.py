from __future__ import annotations

import pytest

from dashboards.rules import explain, windows
from reference_app.query.slo import Slo

READS = Slo("reads", "gateway", 0.999, "good", "total", "Pages are served", period_s=28 * windows.DAY)


def test_each_rule_says_above_what_it_fires_what_is_spent_by_then_and_after_how_long() -> None:
    fast = explain.explain(READS, windows.production(READS.period_s), shares=(0.1, 0.01)).rules[0]
    assert (fast.factor, fast.above_share, fast.spent_share) == (13.44, 0.01344, 0.02)
    tenth, hundredth = fast.fires
    assert (tenth.burn_rate, tenth.after_s, tenth.lasts_s) == (100, 483.84, 24192)
    assert hundredth.after_s is None


def test_in_words_the_budget_is_a_number_of_events_and_a_time() -> None:
    told = "\n".join(explain.in_words(explain.explain(READS, windows.production(READS.period_s), shares=(0.1, 0.01))))
    assert "of a million events 1,000 may be bad" in told
    assert "at 1 the budget lasts exactly 28 d" in told
    assert "10 % bad (burn rate 100): fires after 8.06 min; the budget lasts 6.72 h." in told
    assert "1 % bad (burn rate 10): never fires" in told


def test_an_objective_without_an_alert_that_can_fire_is_not_explained_away() -> None:
    easy = Slo("easy", "gateway", 0.93, "good", "total")
    with pytest.raises(windows.WindowError, match="can never fire"):
        explain.explain(easy, windows.production())


@pytest.mark.parametrize(("seconds", "words"), [(1.7, "2 s"), (90, "90 s"), (5400, "90 min"), (86400, "24 h"), (2419200, "28 d")])
def test_durations_are_told_in_the_largest_unit_of_which_there_are_two(seconds: float, words: str) -> None:
    assert explain.spoken(seconds) == words
