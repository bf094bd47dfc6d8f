from __future__ import annotations

import msgspec

from dashboards.rules import budget
from reference_app.query.slo import Slo

READS = Slo("reads", "gateway", 0.99, "good", "total")


class Counted:
    """Counts by selector."""

    def __init__(self, **counts: float) -> None:
        self._counts = counts

    def increase(self, selector: str, start: float, end: float) -> float:
        assert start < end
        return self._counts[selector]


def test_a_burn_rate_of_one_spends_the_budget_exactly() -> None:
    assert budget.spent([READS], Counted(good=99, total=100), 0, 60) == {"reads": budget.Spent(0.99, 99, 100, 1.0)}


def test_ten_percent_bad_events_burn_ten_times_too_fast() -> None:
    assert budget.spent([READS], Counted(good=90, total=100), 0, 60)["reads"].burn_rate == 10


def test_what_was_not_counted_is_not_available_and_never_zero() -> None:
    spent = budget.spent([READS], Counted(good=0, total=0), 0, 60)
    assert msgspec.json.decode(msgspec.json.encode(spent)) == {"reads": {"objective": 0.99, "good": None, "total": None, "burn_rate": None}}
