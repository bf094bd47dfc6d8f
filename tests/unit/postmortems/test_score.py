"""What counts as noticed, as named and as said in vain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.alertscore import Fired, Score
from chaos.catalogue import ExpectedAlert
from postmortems import blame, score
from postmortems.diagnosis.model import Diagnosed, Suspect
from postmortems.recordings import Fault, Load, Phase, Recorded

PHASES = {"before": Phase(10, 70), "fault": Phase(70, 110), "after": Phase(110, 190)}
DOWN = Fired("ComponentDown", "graph-db-0", None, "ticket", 3.0, 40.0)
BURN = Fired("SloBurn", "gateway", "home-completeness", "page", 2.0, 50.0)


def alerts(*fired, false=(), missed=()):
    return Score((ExpectedAlert("ComponentDown", "ticket"),), (*fired, *false), missed, tuple(false))


def run(
    *fired,
    drill="kill-graph-db",
    kind="kill_and_hold",
    hit="graph-db-0",
    sham=False,
    verdict="passed",
    valid=True,
    false=(),
    diagnosis=None,
):
    faults = () if sham or not kind else (Fault(kind, (hit,)),)
    return Recorded(
        drill,
        "run",
        "small",
        "2026-11-21T12:00:00.000Z",
        verdict,
        faults,
        Load(valid, PHASES),
        alerts(*fired, false=false),
        diagnosis,
        sham,
    )


def card(*runs):
    return score.score(runs, scrape_s=0.5)


def test_the_first_alert_detects_and_the_first_that_names_the_component_is_right():
    (drill,) = card(run(DOWN, BURN)).per_drill
    assert (drill.alerts, drill.after_s, drill.after_scrapes, drill.right_after_s) == (("SloBurn",), 2.0, 4.0, 3.0)
    assert (drill.detected, drill.right, drill.itself) == (True, True, True)


def test_the_burn_of_an_objective_names_nobody():
    """The gateway is the door of all users and calls nearly everybody."""
    (drill,) = card(run(BURN, hit="tweets-0")).per_drill
    assert (drill.detected, drill.right) == (True, False)


def test_an_alert_at_the_very_moment_of_the_fault_counts():
    assert card(run(Fired("ComponentDown", "graph-db-0", None, "ticket", 0.0, None))).every.detected.count == 1


def test_what_fired_in_vain_detects_nothing():
    found = card(run(false=[Fired("ComponentSlow", "graph-db-0", None, "ticket", 5.0, None)]))
    assert found.every.detected.count == 0
    assert found.per_drill[0].unexpected == ("ComponentSlow",)


@pytest.mark.parametrize(("detecting", "counted"), [(1, 0), (2, 1)])
def test_repeats_of_a_drill_count_once_by_what_most_of_them_showed(detecting, counted):
    runs = [run(DOWN)] * detecting + [run()] * (3 - detecting)
    found = card(*runs)
    assert (found.every.drills, found.every.detected.count, found.per_drill[0].runs) == (1, counted, 3)


def test_inconclusive_and_invalid_runs_stay_in_the_denominator():
    found = card(run(DOWN), run(drill="pause", kind="pause", verdict="inconclusive", valid=False))
    assert (found.every.detected.count, found.every.detected.of) == (1, 2)
    assert (found.inconclusive, found.invalid) == (1, 1)


def test_crashes_and_grey_faults_are_apart():
    found = card(run(DOWN), run(Fired("ComponentHung", "graph-db-0", None, "ticket", 9.0, None), drill="pause", kind="pause"))
    assert (found.by_sort["crash"].ttd.median, found.by_sort["grey"].ttd.median) == (3.0, 9.0)


def test_who_was_missed_is_later_than_any():
    """Else a rule that goes silent on its slowest fault makes the others look faster."""
    seen, late = (run(replace(DOWN, after_s=after), drill=str(after)) for after in (3.0, 4.0))
    assert (card(seen, late).by_sort["crash"].ttd.median, card(seen, late).by_sort["crash"].ttd.p90) == (3.5, 4.0)
    found = card(seen, late, run(drill="missed")).by_sort["crash"].ttd
    assert (found.n, found.median, found.p90) == (3, 4.0, None)


def test_an_alert_long_after_the_undo_tells_of_the_recovery_and_not_of_the_fault():
    lasted = Fault("pause", ("graph-db-0",), "2026-11-21T12:01:10.000Z", "2026-11-21T12:01:50.000Z")
    within, later = (replace(run(replace(DOWN, after_s=after)), faults=(lasted,)) for after in (59.0, 61.0))
    assert [card(each).every.detected.count for each in (within, later)] == [1, 0]
    assert card(replace(later, faults=(replace(lasted, undone_at=None),))).every.detected.count == 1


def test_while_alertmanager_is_down_only_the_receiver_is_heard():
    down, silent = replace(DOWN, component="alertmanager"), Fired("WatchdogMissing", "alertmanager", None, "page", 11.0, 50.0)
    (drill,) = card(run(down, silent, hit="alertmanager")).per_drill
    assert (drill.alerts, drill.after_s, drill.itself) == (("WatchdogMissing",), 11.0, True)
    assert card(run(down, hit="alertmanager")).every.detected.count == 0


def test_a_sham_that_somebody_ended_is_no_quiet_time_unless_something_fired_in_it():
    ended = run(sham=True, verdict="interrupted")
    quiet = card(run(sham=True), ended).quiet
    assert (quiet.sham_runs, quiet.hours) == (1, round(190 / 3600, 3))
    unrelated = Fired("ComponentSlow", "tweets-0", None, "page", None, None)
    assert card(run(sham=True, verdict="interrupted", false=[unrelated])).quiet.sham_runs_with_a_page.count == 1


def test_quiet_time_is_all_of_a_sham_and_what_is_before_a_fault():
    early = Fired("CacheHitRateLow", "tweet-cache-0", None, "ticket", -60.0, None)
    unrelated = Fired("ComponentSlow", "tweets-0", None, "page", None, None)
    quiet = card(run(DOWN, false=[early]), run(sham=True, false=[unrelated]), run(sham=True)).quiet
    assert quiet.hours == round((70 + 190 + 190) / 3600, 3)
    assert (quiet.in_shams, quiet.per_sham_run, quiet.in_quiet_time, quiet.pages_in_quiet_time) == (1, 0.5, 2, 1)
    assert (quiet.sham_runs_with_a_page.count, quiet.sham_runs_with_a_page.of) == (1, 2)


def test_a_run_in_which_nothing_was_broken_that_should_have_been_is_told():
    rehearsed = replace(run(kind="", verdict="not-injected"), expected_verdict="not-injected")
    never_applied = replace(rehearsed, expected_verdict="passed")
    found = card(run(kind="", verdict="baseline-not-met"), rehearsed, never_applied)
    assert (found.without_fault, found.every.drills) == (2, 0)


def test_a_run_without_prometheus_is_undetected_and_no_quiet_time():
    silent = Recorded("d", "r", "small", "2026", "passed", (Fault("kill", ("a",)),), Load(True, PHASES))
    found = card(silent)
    assert (found.every.detected.count, found.every.detected.of, found.quiet.hours) == (0, 1, 0)


def test_the_matrix_has_a_cell_for_every_kind_at_every_group():
    cells = score.matrix([run(DOWN), run(drill="other", kind="pause", hit="tweets-0"), run(sham=True)])
    assert [(cell.kind, cell.component, cell.drills, cell.detected) for cell in cells] == [
        ("kill_and_hold", "graph-db", 1, 1),
        ("pause", "tweets", 1, 0),
    ]


def test_a_drill_of_two_faults_has_a_cell_of_each_where_it_was():
    both = replace(run(DOWN), faults=(Fault("kill", ("tweets-0",)), Fault("latency", ("graph-db-0",))))
    assert [(cell.kind, cell.component) for cell in score.matrix([both])] == [("kill", "tweets"), ("latency", "graph-db")]


def test_who_is_ranked_first_in_an_answer_that_there_is_no_cause_was_not_found():
    silent = Diagnosed((Suspect("a", 1.0),), ("a",), 1, no_cause=True)
    assert (card(run(diagnosis=silent)).diagnosis["all"].top1, card(run(diagnosis=silent)).diagnosis["all"].no_cause) == (0.0, 1)


def test_a_drill_that_nobody_noticed_in_its_newest_run_has_no_diagnosis_from_a_better_one():
    found = card(run(diagnosis=Diagnosed((Suspect("a", 1.0),), ("a",), 1, no_cause=False)), run())
    assert (found.diagnosis["all"].n, found.every.drills) == (0, 1)


def test_diagnosis_is_counted_beside_what_a_guess_would_reach():
    ranked = tuple(Suspect(name, 1.0) for name in "abcd")
    first = Diagnosed(ranked, ("a",), 1, no_cause=False)
    last = Diagnosed(ranked, ("d",), 4, no_cause=True)
    hits = card(run(diagnosis=first), run(drill="x", kind="pause", diagnosis=last)).diagnosis
    assert (hits["all"].n, hits["all"].top1, hits["all"].top3, hits["all"].chance_top1, hits["all"].chance_top3) == (
        2,
        0.5,
        0.5,
        0.25,
        0.75,
    )
    assert (hits["crash"].top1, hits["grey"].top1, hits["grey"].no_cause) == (1.0, 0.0, 1)


@pytest.mark.parametrize(
    ("by", "hit", "named"),
    [
        ("tweets-db-0-primary", "tweets-db-0-primary", "itself"),
        ("fanout", "fanout-0", "itself"),
        ("tweets-db-0-replica", "tweets-db-0-primary", "dependant"),
        ("tweets-db-1-replica", "tweets-db-0-primary", "another"),
        ("tweets-0", "tweets-db-0-primary", "dependant"),
        ("gateway-0", "tweets-db-0-primary", "another"),
        ("tweet-cache-1", "tweet-cache-0", "another"),
        ("fanout-0", "events-0", "dependant"),
    ],
)
def test_an_alert_names_who_was_hit_or_who_calls_it(by, hit, named):
    assert blame.named(by, [hit]) == named
