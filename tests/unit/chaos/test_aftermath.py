"""Goodput long after a fault, over that of before: what tells a metastable failure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos import aftermath, verdict
from chaos.catalogue import Hypothesis
from chaos.verdict import Evidence
from loadgen.report import Report
from loadgen.series import Second
from reference_app.contract.plan import Plan, phases
from tests.unit.chaos.test_verdict import SOUND, report

PHASES = phases({"fault": 10, "after": 50})
PLAN = Plan("run-1", "retry-storm", 1, "small", "goal", 1000.0, PHASES, True, 70.0, 80.0, "deviated")
TRIGGER_ONLY = Hypothesis(0.0, 0.0, 0.0, after_goodput_ratio=0.95)


def series(*, served: int, since: int = 80, until: int = 130) -> list[Second]:
    """Forty pages a second are wanted; of the seconds in between so many of them came."""
    return [_second(t, served if since <= t < until else 40) for t in range(150)]


def _second(t: int, served: int) -> Second:
    phase = PLAN.phase_at(t)
    return Second(t, phase.name if phase else "", 40, served, served, 0, 40 - served, 0, 1.0, wanted=40, served=served)


@pytest.mark.parametrize(
    ("recorded", "ratio"),
    [(series(served=10), 0.25), (series(served=0, until=110), 1.0), (series(served=0, since=130, until=150), 1.0), ([], None)],
    ids=["it stays", "it is over 30 s after the fault", "the load has fallen by then", "nothing was recorded"],
)
def test_what_counts_begins_thirty_seconds_after_the_fault_and_ends_before_the_load_falls(
    recorded: list[Second], ratio: float | None
) -> None:
    assert aftermath.goodput_ratio(recorded, PLAN) == ratio


def evidence(recorded: list[Second]) -> Evidence:
    return replace(SOUND, plan=PLAN, hypothesis=TRIGGER_ONLY, load=Report(report().load, recorded))


def test_who_does_not_come_back_deviates_and_who_does_passes() -> None:
    stays, over = (verdict.judge(evidence(series(served=served))) for served in (10, 39))
    assert (stays.verdict, over.verdict) == ("deviated", "passed")
    assert "From 30 s after the fault on goodput, relative to before, was 25.00%, below 95.00%." in stays.reasons
    assert any("was 97.50% of before" in reason for reason in over.reasons)
