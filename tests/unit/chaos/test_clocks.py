from __future__ import annotations

from collections.abc import Mapping

import pytest

from chaos import alertscore, clocks
from chaos.catalogue import ExpectedAlert, Hypothesis
from chaos.clocks import Clocks
from chaos.events import Event
from loadgen.series import Second
from reference_app.query.prometheus import AlertSpan

T0 = 1000.0
BOUNDS = Hypothesis(0.9, 0.95, 0.99)
INJECTED = Event(T0 + 70.2, "injected", "kill_and_hold")
UNDONE = Event(T0 + 110.4, "undone", "kill_and_hold", detail={"by": "rollback"})
SETTING_BACK = Event(T0 + 110.3, "undone", "set_decider")


def second(t: int, *, good: bool = True) -> Second:
    complete = 100 if good else 50
    return Second(t, "", 110, 100, complete, 100 - complete, 0, 1, 1.0)


def series(bad: range) -> list[Second]:
    return [second(t, good=t not in bad) for t in range(160)]


def measured(bad: range, *recorded: Event) -> Clocks:
    return clocks.measure(series(bad), recorded or (INJECTED, SETTING_BACK, UNDONE), t0=T0, hypothesis=BOUNDS)


def drained(*, until: int) -> dict[int, bool]:
    """Nothing waits but from the injection to that second, and in one second afterwards."""
    return {t: not 70 <= t < until and t != until + 20 for t in range(160)}


def after_undo(seconds: Mapping[int, bool]) -> float | None:
    recorded = (INJECTED, UNDONE)
    return clocks.measure(series(range(70, 75)), recorded, t0=T0, hypothesis=BOUNDS, drained=seconds).drained_after_undo_s


def test_what_waited_is_worked_off_later_than_users_are_well() -> None:
    assert measured(range(70, 75)).recovery_after_undo_s == 0.0
    assert after_undo(drained(until=118)) == 7.6
    assert after_undo(drained(until=100)) == 0.0


def test_a_second_in_which_nothing_waits_is_not_the_end_of_a_backlog() -> None:
    assert after_undo(drained(until=118) | {113: True, 114: True, 115: True, 116: True}) == 7.6


@pytest.mark.parametrize("seconds", [{}, drained(until=160)], ids=["not recorded", "not worked off"])
def test_a_backlog_whose_end_was_not_seen_has_no_clock(seconds: dict[int, bool]) -> None:
    assert after_undo(seconds) is None


def test_a_fault_that_is_absorbed_while_it_is_on_has_a_time_to_absorb() -> None:
    found = measured(range(70, 75))
    assert found.time_to_absorb_s == 4.8
    assert found.ttr_s == 4.8
    assert found.recovery_after_undo_s == 0.0


def test_a_fault_that_nobody_notices_is_absorbed_at_once() -> None:
    assert measured(range(0)).time_to_absorb_s == 0.0


def test_a_fault_that_hurts_late_is_not_absorbed() -> None:
    found = measured(range(90, 114))
    assert found.time_to_absorb_s is None
    assert (found.recovery_after_undo_s, found.ttr_s) == (3.6, 43.8)


def test_a_fault_that_hurts_until_its_undo_is_not_absorbed_but_recovered_from() -> None:
    found = measured(range(72, 114))
    assert found.time_to_absorb_s is None
    assert found.recovery_after_undo_s == 3.6
    assert found.ttr_s == 43.8


def test_fourteen_good_seconds_are_no_recovery() -> None:
    only_fourteen = measured(range(72, 146))
    assert only_fourteen.recovery_after_undo_s is None
    assert only_fourteen.ttr_s is None
    assert measured(range(72, 145)).recovery_after_undo_s == 34.6


def test_good_seconds_that_reach_over_the_undo_do_not_show_absorption() -> None:
    assert measured(range(70, 100)).time_to_absorb_s is None


def test_without_an_injection_every_clock_is_unknown() -> None:
    assert measured(range(0), UNDONE) == Clocks()


def test_without_an_undo_recovery_is_unknown() -> None:
    found = measured(range(70, 160), INJECTED)
    assert (found.recovery_after_undo_s, found.ttr_s) == (None, None)


def test_mitigation_counts_only_when_a_person_undid_it() -> None:
    by_hand = Event(UNDONE.at, "undone", "kill_and_hold", detail={"by": "chaos undo"})
    assert measured(range(0)).ttm_s is None
    assert measured(range(0), INJECTED, by_hand).ttm_s == 40.2


def test_detection_is_the_first_true_alert() -> None:
    spans = [
        AlertSpan("Other", {"severity": "page"}, INJECTED.at + 1, None),
        AlertSpan("Down", {"severity": "ticket"}, INJECTED.at + 4, None),
    ]
    score = alertscore.score(spans, expected=[ExpectedAlert("Down", "ticket")], injected_at=INJECTED.at)
    found = clocks.measure(series(range(0)), (INJECTED, UNDONE), t0=T0, hypothesis=BOUNDS, alerts=score)
    assert found.ttd_s == 4.0


def test_a_quiet_second_a_failing_one_and_a_partial_one_are_not_good() -> None:
    assert clocks.is_good(second(1), BOUNDS)
    assert not clocks.is_good(second(1, good=False), BOUNDS)
    assert not clocks.is_good(Second(1, "", 0, 0, 0, 0, 0, 0, None), BOUNDS)
    assert not clocks.is_good(Second(1, "", 110, 90, 90, 0, 20, 0, None), BOUNDS)
