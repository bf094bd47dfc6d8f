from __future__ import annotations

import pytest

from loadgen import validity


@pytest.fixture
def healthy(operation):
    return [operation(n=i, due=i / 10) for i in range(1600)]


def test_a_healthy_run_is_valid(plan, facts, healthy):
    assert validity.reasons(plan, facts(), healthy) == []


@pytest.mark.parametrize(
    ("planted", "reason"),
    [
        ({"lag_p99_ms": 20.1}, "requests left late: lag p99 20.1 ms, allowed 20 ms"),
        ({"lag_p99_ms": None}, "nothing was sent in a recorded phase"),
        ({"cpu_peak": 0.81}, "the generator used 81% of a core over 5 s, allowed 80%"),
        ({"dropped": 1}, "1 requests were dropped because too many were outstanding, or could not be written down (see load/locust.log)"),
        ({"stalls": 2, "longest_stall_ms": 431.0}, "event loop stood still 2 times, longest 431 ms"),
        ({"lag_p99_ms": 95.0, "cpu_wait_peak": 0.7}, "allowed 20 ms; the generator was ready and not let run for 70% of 5 s"),
        ({"stalls": 1, "pauses": 1, "longest_stall_ms": 2000.0}, "in 1 of them the whole process did not run"),
        ({"clock_step_s": 3600.0}, "the wall clock was stepped by +3600.0 s"),
        ({"clock_step_s": -0.6}, "the wall clock was stepped by -0.6 s"),
        ({"sent": 989}, "only 989 of 1000 planned requests were sent"),
        ({"stopped_by": "interrupt", "stopped_at": 42.0, "sent": 300}, "stopped by hand at load second 42.0 of 160"),
        ({"stopped_by": "lease", "stopped_at": 42.0, "sent": 300}, "the lease of the run lapsed at load second 42.0 of 160"),
    ],
)
def test_a_planted_cause_makes_the_run_invalid_and_is_named(plan, facts, healthy, planted, reason):
    (found,) = validity.reasons(plan, facts(**planted), healthy)
    assert reason in found


def test_a_load_is_spoiled_by_what_made_it_invalid_and_not_by_being_stopped(plan, facts, healthy):
    stopped = {"stopped_by": "interrupt", "stopped_at": 42.0, "sent": 300}
    assert [validity.spoiled(validity.reasons(plan, facts(**more), healthy)) for more in ({}, stopped, stopped | {"stalls": 2})] == [
        False, False, True,
    ]  # fmt: skip
    assert validity.spoiled(validity.reasons(plan, None, healthy))


@pytest.mark.parametrize(
    "within", [{"lag_p99_ms": 20.0}, {"cpu_peak": 0.80}, {"cpu_peak": None}, {"sent": 990}, {"clock_step_s": 0.5}, {"cpu_wait_peak": 0.9}]
)
def test_the_limits_themselves_are_allowed(plan, facts, healthy, within):
    assert validity.reasons(plan, facts(**within), healthy) == []


def test_requests_for_which_the_generator_had_no_connection_say_nothing_of_the_service(plan, facts, healthy, operation):
    (reason,) = validity.reasons(plan, facts(), [*healthy, operation(type="error", status=0, error="exhausted")])
    assert reason.startswith("1 requests could not be sent")


def test_requests_that_left_and_stand_nowhere_make_the_run_invalid(plan, facts, healthy):
    left = facts(sent=1590, retried=7, replayed=3, planned=1590)
    assert validity.reasons(plan, left, healthy) == []
    (reason,) = validity.reasons(plan, left, healthy[:-1])
    assert reason == "the history holds 1599 of 1600 requests that left: what became of the others is not known"


def test_a_target_that_answers_nobody_is_unreachable(plan, facts, operation):
    refused = [operation(due=i / 10, type="error", status=0, error="refused") for i in range(1600)]
    (reason,) = validity.reasons(plan, facts(), refused)
    assert reason == "the target was unreachable: 0 of 700 requests before the fault got an answer"


def test_errors_are_answers_and_a_fault_may_silence_the_target(plan, facts, operation):
    erring = [operation(due=i / 10, type="error", status=503) for i in range(700)]
    silenced = [operation(due=i / 10, type="error", status=0, error="timeout") for i in range(700, 1600)]
    assert validity.reasons(plan, facts(), erring + silenced) == []


def test_a_generator_that_left_no_facts_is_invalid(plan, healthy):
    (reason,) = validity.reasons(plan, None, healthy)
    assert "not every process of the generator lived" in reason
