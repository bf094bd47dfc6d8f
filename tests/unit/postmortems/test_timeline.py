from __future__ import annotations

from chaos.clocks import Clocks
from chaos.events import Event
from postmortems import timeline
from reference_app.contract.plan import Plan, phases
from reference_app.kit.changes import Change
from reference_app.query.prometheus import AlertSpan

PLAN = Plan("r", "d", 1, "small", "goal", 1000.0, phases(), True, 70.0, 110.0, "passed")
INJECTED = Event(1070.0, "injected", "kill_and_hold", ("tweets-db-0-primary",))
SETTING = Event(1111.0, "undone", "set_decider", (), {"parameters": {"name": "replica_reads"}})
UNDONE = Event(1112.0, "undone", "kill_and_hold", ("tweets-db-0-primary",))


def told(clocks: Clocks, *events: Event, alerts: tuple[AlertSpan, ...] = ()) -> dict[str, float]:
    return {row.text: row.at for row in timeline.rows(PLAN, events, alerts, clocks)}


def test_a_setting_that_is_taken_back_does_not_end_the_fault() -> None:
    assert timeline.fault_span((INJECTED, SETTING, UNDONE)) == (1070.0, 1112.0)


def test_a_fault_that_was_never_undone_has_no_end() -> None:
    assert timeline.fault_span((INJECTED, SETTING)) == (1070.0, None)


def test_absorption_and_recovery_are_told_apart() -> None:
    rows = told(Clocks(time_to_absorb_s=4.0, recovery_after_undo_s=3.0, drained_after_undo_s=5.0), INJECTED, UNDONE)
    assert rows["service is good although the fault is still in force"] == 1074.0
    assert rows["service is good again after the undo, for 15 s at least"] == 1115.0
    assert rows["queues are as before and replicas have caught up"] == 1117.0


def test_recovery_that_was_not_seen_is_not_told() -> None:
    assert not [text for text in told(Clocks(), INJECTED, UNDONE) if "service is good" in text or "caught up" in text]


def test_an_alert_on_an_objective_is_told_by_the_objective() -> None:
    burn = AlertSpan("SloBurn", {"component": "gateway", "slo": "post-availability", "severity": "page"}, 1080.0, None)
    rows = told(Clocks(), INJECTED, alerts=(burn,))
    assert rows["`SloBurn` for `post-availability` (page) fires"] == 1080.0
    assert not [text for text in rows if "resolves" in text]


def test_what_a_person_changed_during_the_run_is_told_with_who_did_it() -> None:
    change = Change(1080.0, "decider", "tweet_cache", "10000", "0", "ada")
    rows = timeline.rows(PLAN, (INJECTED,), (), Clocks(), (change,))
    assert [(row.at, row.text) for row in rows if row.kind == "change"] == [(1080.0, "ada sets the decider `tweet_cache` from 10000 to 0")]
