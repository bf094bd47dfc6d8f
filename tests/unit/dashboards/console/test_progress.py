from __future__ import annotations

import pytest

from dashboards.console.draw import progress
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan

PLAN = Plan(
    "r1", "kill-tweet-shard", 1, "small", "goal", 1000.0, plans.phases(), inject=True, inject_at=70, undo_at=110, expected_verdict="passed"
)


@pytest.mark.parametrize(
    ("second", "text", "position"),
    [
        (-4, "load begins in 4 s", 0.0),
        (80, "fault, 1 min 20 s of 2 min 40 s", 0.5),
        (170, "the load is over: audit, verdict and postmortem", 1.0),
    ],
)
def test_a_run_stands_where_its_clock_says(second: float, text: str, position: float) -> None:
    shown = progress.of_plan(PLAN, PLAN.t0 + second)
    assert (shown.text, shown.position) == (text, position)


def test_phases_before_are_past_and_those_after_ahead() -> None:
    parts = {part.name: part.state for part in progress.of_plan(PLAN, PLAN.t0 + 80).parts}
    assert (parts["before"], parts["fault"], parts["after"]) == ("past", "present", "ahead")
    assert sum(part.share for part in progress.of_plan(PLAN, PLAN.t0).parts) == pytest.approx(1)
