"""What counts as noticed, as named and as said in vain."""

from __future__ import annotations

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


def test_quiet_time_is_all_of_a_sham_and_what_is_before_a_fault():
    early = Fired("CacheHitRateLow", "tweet-cache-0", None, "ticket", -60.0, None)
    unrelated = Fired("ComponentSlow", "tweets-0", None, "page", None, None)
    quiet = card(run(DOWN, false=[early]), run(sham=True, false=[unrelated]), run(sham=True)).quiet
    assert quiet.hours == round((70 + 190 + 190) / 3600, 3)
    assert (quiet.in_shams, quiet.per_sham_run, quiet.in_quiet_time, quiet.pages_in_quiet_time) == (1, 0.5, 2, 1)
    assert (quiet.sham_runs_with_a_page.count, quiet.sham_runs_with_a_page.of) == (1, 2)


def test_a_run_in_which_nothing_was_broken_that_should_have_been_is_told():
    found = card(run(kind="", verdict="baseline-not-met"), run(kind="", verdict="not-injected"))
    assert (found.without_fault, found.every.drills) == (1, 0)


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
