from __future__ import annotations

from loadgen import series


def test_every_second_of_the_plan_has_an_entry(plan, operation):
    found = series.build(plan, [operation(due=3.2)])
    assert [s.t for s in found] == list(range(160))
    assert (found[3].offered, found[4].offered, found[4].p99_ms) == (1, 0, None)
    assert [found[t].phase for t in (0, 10, 45, 50, 70, 110, 140)] == ["warmup", "baseline", "ramp", "before", "fault", "after", "decay"]


def test_a_second_counts_pages_posts_and_errors_of_the_requests_that_were_due_in_it(plan, operation):
    second = series.build(
        plan,
        [
            operation(due=80.0, response_ms=3.0), operation(due=80.1, partial=True, response_ms=4.0),
            operation(due=80.2, type="error", status=503), operation(due=80.3, op="user_timeline", response_ms=9.0),
            operation(due=80.4, op="post", status=201), operation(due=80.5, op="post", type="refused", status=503),
            operation(due=80.6, op="post", status=201, replay=True),
        ],
    )[80]  # fmt: skip
    assert (second.offered, second.good, second.complete, second.partial, second.errors, second.posts_acknowledged) == (7, 2, 1, 1, 2, 1)
    assert second.p99_ms == 9.0


def test_a_two_second_freeze_shows_in_the_seconds_whose_requests_waited(plan, operation):
    frozen = [operation(due=20 + i / 50, response_ms=max(5.0, 2000 - i * 20)) for i in range(150)]
    found = series.build(plan, frozen)
    assert found[20].p99_ms == 2000
    assert found[21].p99_ms == 1000
    assert found[22].p99_ms == 5


def test_a_page_that_came_with_a_later_attempt_is_served_in_the_second_in_which_it_was_wanted(plan, operation):
    failed, again = operation(n=1, due=80.0, type="error", status=503), operation(n=9, due=83.0, attempt=2, intent=1, reaction="retry")
    found = series.build(plan, [failed, again, operation(n=2, due=80.5, type="error", status=503), operation(n=3, due=80.6, op="post")])
    assert [(found[t].wanted, found[t].served) for t in (80, 83)] == [(2, 1), (0, 0)]
    assert [(found[t].offered, found[t].good) for t in (80, 83)] == [(3, 0), (1, 1)]


def test_an_invalid_run_has_no_latency_in_any_second(plan, operation):
    assert all(s.p99_ms is None for s in series.build(plan, [operation()], valid=False))


def test_a_retry_due_after_the_end_belongs_to_no_second(plan, operation):
    assert sum(s.offered for s in series.build(plan, [operation(due=161.0)])) == 0
