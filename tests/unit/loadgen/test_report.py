from __future__ import annotations

import pytest

from loadgen import report
from loadgen.intents import Intents
from loadgen.latency import Latency


@pytest.fixture
def few(facts):
    """The facts of a load of which a test plants some requests only."""
    return lambda **changes: facts(planned=0, sent=0, **changes)


def spread(operation, start, end, per_second, **changes):
    return [operation(due=start + i / per_second, **changes) for i in range(int((end - start) * per_second))]


def test_a_valid_report_has_the_fields_of_the_drill_contract(plan, facts, operation):
    load = report.build(plan, facts(), spread(operation, 0, 160, 10)).load
    assert (load.preset, load.valid, load.invalid_reasons) == ("goal", True, [])
    assert (load.planned, load.sent, load.dropped, load.errors, load.lag_p99_ms) == (1000, 1000, 0, 0, 4.0)
    assert load.latency_ms.p50 == pytest.approx(5, rel=2e-3)
    assert list(load.phases) == [phase.name for phase in plan.phases]


def test_an_invalid_run_has_null_latencies_everywhere_but_keeps_its_counts(plan, facts, operation):
    built = report.build(plan, facts(dropped=3), spread(operation, 0, 160, 10))
    assert not built.load.valid
    assert built.load.latency_ms == Latency(None, None, None)
    assert all(p.requests.latency_ms == p.home.latency_ms == Latency() for p in built.load.phases.values())
    assert all(second.p99_ms is None for second in built.series)
    assert built.load.phases["fault"].home.ok == 400


def test_what_only_the_generator_knew_is_null_without_its_facts(plan, operation):
    load = report.build(plan, None, [operation()]).load
    assert (load.planned, load.sent, load.dropped, load.lag_p99_ms) == (None, None, None, None)
    assert load.requests == 1


def test_the_warm_up_counts_neither_in_errors_nor_in_latency(plan, facts, operation):
    slow = spread(operation, 0, 10, 10, response_ms=900.0) + spread(operation, 0, 10, 10, type="error", status=503)
    load = report.build(plan, facts(), slow + spread(operation, 10, 160, 10)).load
    assert load.errors == 0
    assert load.latency_ms.p999 == pytest.approx(5, rel=2e-3)
    assert load.phases["warmup"].requests.errors == 100


def test_a_phase_counts_every_kind_of_outcome(plan, few, operation):
    during = [
        operation(due=80, partial=True), operation(due=81), operation(due=82, type="error", status=503),
        operation(due=83, type="error", status=0, error="timeout", response_ms=5001.0), operation(due=84, op="user_timeline"),
        operation(due=85, op="post", status=201), operation(due=86, op="post", type="refused", status=503),
        operation(due=87, op="post", type="indeterminate", status=503, attempt=2),
    ]  # fmt: skip
    fault = report.build(plan, few(), spread(operation, 0, 70, 1) + during).load.phases["fault"]
    assert (fault.requests.sent, fault.requests.ok, fault.requests.errors, fault.requests.censored) == (8, 4, 4, 1)
    assert (fault.home.sent, fault.home.ok, fault.pages_complete, fault.pages_partial) == (4, 2, 1, 1)
    assert (fault.post.sent, fault.post.ok, fault.posts_refused, fault.posts_indeterminate) == (3, 1, 1, 1)
    assert fault.user_timeline.ok == 1
    assert fault.home.latency_ms.p99 == pytest.approx(5001, rel=2e-3)


def test_a_tweet_is_acknowledged_once_however_often_it_is_replayed(plan, few, operation):
    posts = [operation(op="post", status=201, key="a"), operation(op="post", status=201, key="a", replay=True)]
    assert report.build(plan, few(), posts).load.acknowledged == 1


def test_goodput_counts_what_users_wanted_however_often_they_asked(plan, few, operation):
    """Three pages are wanted during the fault: one came at the third attempt, one never, one was left by the back button."""
    failed = {"type": "error", "status": 503}
    tried = [
        operation(n=1, due=80.0, **failed), operation(n=10, due=81.0, intent=1, attempt=2, reaction="retry", **failed),
        operation(n=11, due=112.0, intent=1, attempt=3, reaction="retry"),
        operation(n=2, due=80.2, **failed), operation(n=3, op="user_timeline", due=80.3, **failed),
        operation(n=12, op="home", due=81.0, intent=3, attempt=2, reaction="back"),
        operation(n=4, op="post", due=82.0, key="k"), operation(n=13, op="post", due=83.0, key="k", intent=4, replay=True),
    ]  # fmt: skip
    load = report.build(plan, few(), [operation(n=100 + t, due=t) for t in range(70)] + tried).load
    fault = load.phases["fault"]
    assert fault.home_intents == Intents(wanted=2, served=1, amplification=2.0, reactions={"retry": 2})
    assert fault.intents == Intents(wanted=4, served=2, amplification=1.75, reactions={"retry": 2, "back": 1})
    assert load.phases["after"].intents.wanted == 0
    assert load.intents.wanted == 60 + 4


def test_the_slowest_requests_are_named_with_their_traces_and_waits_without_an_answer_are_lower_bounds(plan, few, operation):
    slow = [operation(n=1000 + i, due=80 + i, response_ms=1000.0 + i, trace_id=f"{i:032x}") for i in range(12)]
    waited = operation(n=2000, due=90, type="error", status=0, error="timeout", response_ms=4999.0)
    quick = [operation(n=3000, due=91, type="error", status=503, response_ms=9000.0), operation(n=3001, due=5, response_ms=8000.0)]
    found = report.build(plan, few(), [*spread(operation, 0, 70, 1), *slow, waited, *quick]).load.slowest
    assert [(one.n, one.phase, one.response_ms, one.trace_id) for one in found[:2]] == [
        (2000, "fault", 5000.0, ""),
        (1011, "fault", 1011.0, f"{11:032x}"),
    ]
    assert len(found) == report.SLOWEST
    assert report.build(plan, few(dropped=1), slow).load.slowest == []


def test_a_freeze_of_two_seconds_shows_in_the_p99(plan, few, operation):
    healthy = spread(operation, 10, 160, 10)
    frozen = [operation(due=80 + i / 20, response_ms=2000 - i * 50.0) for i in range(40)]
    assert (report.build(plan, few(), healthy + frozen).load.latency_ms.p99 or 0) > 1000
