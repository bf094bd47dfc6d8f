from __future__ import annotations

import dataclasses

import numpy as np

from postmortems.diagnosis import ranking, walking
from postmortems.diagnosis.model import Case, Series, Symptom

CALLS = frozenset({("gateway", "timelines"), ("timelines", "tweets"), ("timelines", "cache"), ("tweets", "db")})
RNG = np.random.default_rng(7)


def signal(component, metric, level, became=None, caller=""):
    normal = level * (1 + 0.05 * RNG.standard_normal(60))
    anomalous = (level if became is None else became) * (1 + 0.05 * RNG.standard_normal(20))
    return Series(component, metric, normal, anomalous, caller=caller)


def case(*changed, symptom=None):
    """All calls as usual, but for those that are given as (caller, callee, seconds)."""
    became = {(caller, callee): seconds for caller, callee, seconds in changed}
    series = tuple(signal(callee, "mean_seconds", 0.01, became.get((caller, callee)), caller) for caller, callee in sorted(CALLS))
    return Case(series, CALLS, symptom)


SLOW_DB = (("tweets", "db", 0.3), ("timelines", "tweets", 0.31), ("gateway", "timelines", 0.32))


def test_whom_its_callers_blame_is_first_and_those_who_wait_for_it_are_behind():
    found = ranking.rank(case(*SLOW_DB))
    assert found.ranked[0].component == "db"
    assert not found.no_cause


def test_a_component_that_is_slow_by_itself_is_before_those_it_calls():
    found = ranking.rank(case(("timelines", "tweets", 0.31), ("gateway", "timelines", 0.32)))
    assert found.ranked[0].component == "tweets"


def test_a_callee_that_is_bad_for_others_alone_is_no_excuse():
    """The database is slow for search, and not for tweets, which is slow by itself."""
    aside = (*case(("timelines", "tweets", 0.31)).series, signal("db", "mean_seconds", 0.01, 0.02, "search"))
    excused = (*case(("timelines", "tweets", 0.31), ("tweets", "db", 0.3)).series,)
    alone, together = (ranking.scores(Case(series, CALLS | {("search", "db")}))["tweets"] for series in (aside, excused))
    assert alone > together


def test_fewer_errors_than_before_accuse_nobody():
    fewer = Series("db", "failed_share", np.full(30, 0.5), np.full(10, 0.1))
    assert ranking.scores(Case((fewer,))) == {"db": 0.0}
    assert ranking.scores(Case((dataclasses.replace(fewer, normal=fewer.anomalous, anomalous=fewer.normal),)))["db"] > 3


def failed(component, before, after):
    return Series(component, "served_failed_share", np.full(60, before), np.full(20, after))


def test_requests_that_failed_where_nobody_calls_are_the_symptom_that_nobody_told():
    """They lead to who failed on the way, past who is slower because it is retried."""
    slow = case(*SLOW_DB)
    doors = dataclasses.replace(slow, series=(*slow.series, failed("gateway", 0.0, 0.3), failed("timelines", 0.0, 0.6)))
    assert walking.asked(doors).symptom == Symptom("gateway", "errors")
    assert ranking.rank(doors).ranked[0].component == "timelines"
    assert "everything on the way from gateway to it went wrong in the same way" in ranking.rank(doors).ranked[0].reasons_for


def test_neither_slowness_at_a_door_nor_failures_behind_it_are_a_symptom():
    slow = case(*SLOW_DB)
    at_the_door = Series("gateway", "served_mean_seconds", np.full(60, 0.01), np.full(20, 0.9))
    for one in (at_the_door, failed("timelines", 0.0, 0.6), failed("gateway", 0.3, 0.0)):
        assert walking.asked(dataclasses.replace(slow, series=(*slow.series, one))).symptom is None


def test_a_symptom_that_somebody_told_is_kept():
    told = case(*SLOW_DB, symptom=Symptom("timelines"))
    assert walking.asked(dataclasses.replace(told, series=(*told.series, failed("gateway", 0.0, 0.3)))).symptom == Symptom("timelines")


def test_evidence_is_told_in_words_for_and_against():
    found = {one.component: one for one in ranking.rank(case(*SLOW_DB, symptom=Symptom("gateway"))).ranked}
    assert "mean_seconds of the calls from tweets rose from 0.0" in found["db"].reasons_for[0]
    assert "it calls what is worse: db" not in found["db"].reasons_against
    assert found["cache"].reasons_against[0] == "none of its signals left its normal range"
    assert "no way of anomalous calls leads to it from gateway" in found["cache"].reasons_against


def test_the_walk_passes_over_what_is_strange_beside_the_way():
    """A cache that is busier than usual harms nobody who called it on the way from the symptom."""
    beside = signal("cache", "cpu_share", 0.2, 20.0)
    slow = case(*SLOW_DB, ("gateway", "timelines", 0.32), symptom=Symptom("timelines"))
    found = ranking.rank(dataclasses.replace(slow, series=(*slow.series, beside)))
    assert found.ranked[0].component == "db"
    alone = ranking.rank(dataclasses.replace(slow, series=(*slow.series, beside), symptom=None))
    assert alone.ranked[0].component in ("db", "cache")


def test_the_walk_stops_at_a_caller_who_finds_all_of_a_kind_bad():
    """Who is paused gives up every call it makes; they have nothing in common but it."""
    calls = frozenset({("gateway-0", "timelines-0"), ("timelines-0", "cache-0"), ("timelines-0", "cache-1"), ("timelines-0", "users-0")})
    bad = {"timelines-0": 0.3, "cache-0": 0.3, "cache-1": 0.3}
    series = tuple(signal(callee, "mean_seconds", 0.01, bad.get(callee), caller) for caller, callee in sorted(calls))
    all_of_them, one_of_them = (
        walking.walked(Case(some, calls, Symptom("timelines-0")), Symptom("timelines-0"))
        for some in (series, tuple(one for one in series if one.component != "cache-1"))
    )
    assert set(all_of_them) == {"timelines-0"}
    assert set(one_of_them) == {"timelines-0", "cache-0"}


def test_what_never_moved_is_told_apart_from_what_moved_far():
    far, still = (
        signal("db", "mean_seconds", 0.001, 900.0, "tweets"),
        Series("db", "failed_share", np.zeros(60), np.full(20, 0.9), caller="tweets"),
    )
    told = next(one for one in ranking.rank(Case((far, still))).ranked if one.component == "db").reasons_for
    assert any("mean_seconds" in reason and "over 1000 deviations" in reason for reason in told)
    assert any("failed_share" in reason and "never moved before" in reason for reason in told)


def test_a_quiet_period_has_no_cause():
    assert ranking.rank(case()).no_cause


def test_components_that_nothing_tells_apart_are_in_alphabetical_order():
    same = tuple(Series(name, "cpu_share", np.full(30, 1.0), np.full(5, 1.0)) for name in ("b", "a", "c"))
    assert list(ranking.scores(Case(same))) == ["a", "b", "c"]
