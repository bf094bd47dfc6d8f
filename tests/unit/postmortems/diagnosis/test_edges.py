from __future__ import annotations

import numpy as np

from postmortems import whitelist
from postmortems.diagnosis import callers, edges
from postmortems.diagnosis.model import GAP, Case
from postmortems.diagnosis.ranking import scores
from reference_app.contract import metrics
from tests.unit.postmortems.diagnosis.frozen import MOMENTS, calls, changed, counter, gauge, together

SHARDS = ("db-0", "db-1", "db-2")


def accused(frozen):
    """The first suspect, of signals of calls alone."""
    made = callers.excused(edges.of(frozen, MOMENTS), frozen, MOMENTS)
    return next(iter(scores(Case(tuple(made), edges.calls(frozen)))))


def shards(given_up):
    """Every call of tweets to its shards is given up after so many seconds; an answer takes 4 ms."""
    failing = {"seconds": (0.004, given_up), "failed": (0.0, 0.7), "given_up": given_up}
    return together(calls("gateway", "tweets", failed=(0.0, 0.6)), *(calls("tweets", shard, **failing) for shard in SHARDS))


def test_who_gives_up_before_anybody_could_answer_blames_itself():
    assert accused(shards(given_up=0.006)) == "tweets"


def test_who_waits_long_before_it_gives_up_blames_its_callee():
    assert accused(shards(given_up=0.250)) == "db-0"


def test_who_was_hardly_ever_called_is_measured_by_its_siblings():
    rare = calls("tweets", "db-1-replica", per_s=(0.0, 20.0), seconds=(None, 0.006), failed=(None, 0.7), given_up=0.006)
    frozen = together(calls("tweets", "db-0-primary"), rare)
    assert callers.impatient(frozen, MOMENTS) == {("tweets", "db-1-replica")}
    assert callers.impatient(rare, MOMENTS) == frozenset()


def test_a_caller_with_whom_all_calls_are_slower_alike_is_slow_itself():
    """Each call takes 40 ms more, which is most for the one that is usually the fastest; the store takes 300 ms on top of that."""
    slow = together(
        calls("gateway", "tweets", seconds=(0.010, 0.050)), calls("tweets", "cache-0", seconds=(0.001, 0.041)),
        calls("tweets", "db-0", seconds=(0.004, 0.044)), calls("tweets", "db-1", seconds=(0.004, 0.044)),
    )  # fmt: skip
    assert accused(slow) == "tweets"
    assert accused(together(slow, calls("tweets", "keys", seconds=(0.004, 0.344)))) == "keys"


def test_a_newcomer_is_compared_with_the_past_of_its_siblings():
    new = calls("tweets", "cache-3", per_s=(None, 60.0), seconds=(None, 0.4), failed=(None, 0.3))
    old = calls("tweets", "cache-0", seconds=(0.001, 0.001))
    assert accused(together(old, calls("tweets", "db-0", seconds=(0.004, 0.006)), new)) == "cache-3"
    alone = edges.of(together(calls("tweets", "db-0"), new), MOMENTS)
    assert all(np.isnan(one.normal).all() for one in alone if one.component == "cache-3")


def test_rows_that_are_gone_accuse_the_shard_that_was_asked():
    lost = {metrics.ROWS_MISSING.name: [counter(0.0, 6.0, component="tweets", peer="db-1")]}
    assert accused(together(*(calls("tweets", shard) for shard in SHARDS), lost)) == "db-1"


def test_messages_that_nobody_can_read_accuse_the_stream_and_not_who_puts_them_aside():
    kinds = {metrics.COMPONENT_UP.name: [gauge(1.0, 1.0, component="events", kind="nats"), gauge(1.0, 1.0, component="db", kind="mariadb")]}
    dead = {metrics.DEAD_LETTERS.name: [counter(0.0, 2.0, component="fanout")]}
    made = edges.of(together(calls("fanout", "events"), calls("fanout", "db"), kinds, dead), MOMENTS)
    assert changed(made) == {("events", "fanout", edges.DEAD)}


def served(component, before, after):
    return {whitelist.SERVED_SECONDS: [gauge(before, after, component=component)]}


def gaps(frozen):
    """Mean seconds of the gap of each call, asked about."""
    made = callers.excused(edges.of(frozen, MOMENTS), frozen, MOMENTS)
    return {(one.caller, one.component): round(float(np.nanmean(one.anomalous)), 6) for one in made if one.metric == GAP}


def test_who_waits_longer_than_its_callee_says_it_took_blames_the_far_end_of_the_call():
    far = together(calls("gateway", "tweets", seconds=(0.005, 0.205)), served("tweets", 0.004, 0.004))
    assert gaps(far) == {("gateway", "tweets"): 0.201}
    assert accused(far) == "tweets"
    (one,) = (one for one in edges.of(far, MOMENTS) if one.metric == GAP)
    assert (one.component, one.caller, one.family, one.is_share) == ("tweets", "gateway", "latency", False)
    assert one.name == "calls_gap_seconds (what gateway waits beyond what it says it took: on the way to it, or queued before it)"


def test_a_callee_that_says_itself_that_it_is_slow_leaves_no_gap():
    assert gaps(together(calls("gateway", "tweets", seconds=(0.005, 0.205)), served("tweets", 0.004, 0.204))) == {
        ("gateway", "tweets"): 0.001
    }


def test_calls_of_one_caller_that_are_the_longer_ones_are_no_gap():
    """The callee says 55 ms of both together: 10 of one and 100 of the other, and it took all of that itself."""
    mixed = together(calls("gateway", "tweets", seconds=(0.010, 0.100)), calls("timelines", "tweets", seconds=(0.010, 0.010)))
    assert gaps(together(mixed, served("tweets", 0.010, 0.055))) == {("gateway", "tweets"): 0.0, ("timelines", "tweets"): -0.045}
    assert gaps(together(mixed, served("tweets", 0.010, 0.010)))["gateway", "tweets"] == 0.09


def test_a_caller_that_is_slow_itself_has_no_gap_to_anybody():
    names = ("tweets", "users", "graph")
    slow = together(*(calls("gateway", name, seconds=(0.005, 0.105)) for name in names), *(served(name, 0.004, 0.004) for name in names))
    assert set(gaps(slow).values()) == {0.001}


def test_a_callee_that_says_nothing_of_itself_has_no_gap():
    assert gaps(calls("tweets", "db-0", seconds=(0.004, 0.3))) == {}
