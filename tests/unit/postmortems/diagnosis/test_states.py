from __future__ import annotations

import numpy as np
import pytest

from postmortems.diagnosis import edges, states
from postmortems.diagnosis.model import Case
from postmortems.diagnosis.ranking import scores
from reference_app.contract import metrics
from tests.unit.postmortems.diagnosis.frozen import MOMENTS, calls, changed, counter, gauge, together

STREAM = {metrics.COMPONENT_UP.name: [gauge(1.0, 1.0, component="events", kind="nats")]}
CALLED = {"events", "tweets"}


def idle(published: float) -> set[tuple[str, str, str]]:
    """A worker that takes nothing from a stream any more, on which so much is published."""
    frozen = together(
        calls("gateway", "tweets"), calls("tweets", "events", per_s=(9.0, published)), calls("worker", "events", per_s=(9.0, 0.0)), STREAM
    )
    return changed(list(states.active(frozen, CALLED, MOMENTS)))


def test_a_worker_that_leaves_its_work_is_seen():
    assert idle(published=9.0) == {("worker", "", states.ACTIVE)}


def test_a_worker_that_has_no_work_is_none_that_does_not_work():
    assert not idle(published=0.0)


def test_a_second_of_which_nothing_is_known_tells_of_nobody():
    frozen = together(calls("gateway", "tweets", per_s=(9.0, None)), calls("worker", "events", per_s=(9.0, None)))
    assert all(np.isnan(one.anomalous).all() for one in states.active(frozen, CALLED, MOMENTS))


def test_a_cache_that_is_empty_is_seen_by_its_hits_and_a_new_one_by_those_of_its_siblings():
    def cache(name: str, hits: tuple[float, float], misses: tuple[float, float]) -> dict:
        return {
            metrics.CACHE_HITS.name: [counter(*hits, component=name)],
            metrics.CACHE_MISSES.name: [counter(*misses, component=name)],
        }

    caches = (
        cache("cache-0", (90.0, 90.0), (10.0, 10.0)),
        cache("cache-1", (90.0, 5.0), (10.0, 95.0)),
        cache("cache-2", (0.0, 5.0), (0.0, 95.0)),
    )
    found = {one.component: one for one in states.of(together(*caches), MOMENTS) if one.metric == states.HITS}
    assert changed(list(found.values())) == {("cache-1", "", states.HITS), ("cache-2", "", states.HITS)}
    assert np.allclose(found["cache-2"].normal, 0.9)


def test_spans_that_cannot_be_handed_over_accuse_the_collector():
    lost = {
        metrics.SPANS_EXPORTED.name: [counter(5.0, 0.0, component="tweets"), counter(0.0, 5.0, component="tweets", error_type="refused")]
    }
    assert changed(states.of(lost, MOMENTS)) == {("collector", "tweets", states.LOST_SPANS)}


def test_who_watches_is_no_suspect_because_it_is_asked_more():
    served = {"served_per_second": [gauge(2.0, 9.0, component="collector"), gauge(2.0, 9.0, component="tweets")]}
    assert changed(states.of(served, MOMENTS)) == {("tweets", "", "served_per_second")}


def test_who_was_seen_dead_is_evidence_for_those_alone_who_ask_for_it():
    died = {metrics.COMPONENT_UP.name: [gauge(1.0, 0.0, component="db", kind="mariadb")]}
    assert not changed(states.of(died, MOMENTS))
    assert changed(states.of(died, MOMENTS, liveness=True)) == {("db", "", "component_up")}


def pair(*, failed: float) -> Case:
    """A replica that stops replicating, from a primary that is slow and fails so many of its calls."""
    stopped = {
        metrics.SEMI_SYNC_ON.name: [gauge(1.0, 1.0, component="db-0-primary", shard="db-0")],
        metrics.REPLICATION_RUNNING.name: [gauge(1.0, 0.0, component="db-0-replica", shard="db-0")],
    }
    frozen = together(calls("tweets", "db-0-primary", seconds=(0.004, 0.02), failed=(0.0, failed)), stopped)
    return Case((*edges.of(frozen, MOMENTS), *states.of(frozen, MOMENTS)), edges.calls(frozen))


def test_a_replica_that_stops_is_before_the_primary_that_waits_for_it_but_not_before_one_that_answers_nobody():
    assert next(iter(scores(pair(failed=0.1)))) == "db-0-replica"
    assert next(iter(scores(pair(failed=1.0)))) == "db-0-primary"


@pytest.mark.parametrize(
    ("result", "posted", "of_all"),
    [("unknown_refused", (8.0, 0.0), 1.0), ("unknown_allowed", (8.0, 8.0), 1.0), ("unknown_refused", (8.0, 6.0), 0.25)],
)
def test_limits_that_nobody_knows_are_seen_whether_posts_are_refused_or_let_through(result, posted, of_all):
    asked = 8.0 * of_all
    frozen = {
        metrics.DAILY_LIMITS.name: [counter(0.0, asked, component="gateway", result=result)],
        metrics.POSTS.name: [counter(*posted, component="tweets", result="acknowledged")],
    }
    (unknown,) = [one for one in states.of(frozen, MOMENTS) if one.metric == states.UNKNOWN_LIMITS]
    assert (unknown.component, unknown.family, np.nanmax(unknown.normal)) == ("gateway", "errors", 0.0)
    assert np.nanmedian(unknown.anomalous) == pytest.approx(of_all)


def test_users_over_a_limit_that_is_known_are_no_sign():
    frozen = {
        metrics.DAILY_LIMITS.name: [counter(0.0, 8.0, component="gateway", result="over")],
        metrics.POSTS.name: [counter(8.0, 8.0, component="tweets", result="acknowledged")],
    }
    assert ("gateway", "", states.UNKNOWN_LIMITS) not in changed(states.of(frozen, MOMENTS))


def test_load_that_is_shed_on_purpose_is_seen_though_it_is_one_request_in_a_hundred():
    shed = {metrics.SHED.name: [counter(0.0, 0.5, component="gateway", http_route=route) for route in ("/home", "/tweets")]}
    assert changed(states.of(shed, MOMENTS)) == {("gateway", "", "shed_load")}
