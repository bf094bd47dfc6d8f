from __future__ import annotations

import pytest

from loadgen import latency
from loadgen.latency import Latency


def test_percentiles_keep_three_digits(operation):
    found = latency.percentiles([operation(response_ms=float(ms)) for ms in range(1, 1001)])
    assert (found.p50, found.p99, found.p999) == (pytest.approx(500, rel=2e-3), pytest.approx(990, rel=2e-3), pytest.approx(999, rel=2e-3))


def test_nothing_measured_is_null():
    assert latency.percentiles([]) == Latency(None, None, None)
    assert latency.nearest_rank([], 0.99) is None


def test_a_timeout_counts_as_at_least_the_timeout(operation):
    timed_out = operation(type="error", error="timeout", response_ms=4999.0)
    unanswered = operation(type="indeterminate", completed_at=None, response_ms=None)
    late = operation(type="error", error="timeout", response_ms=6100.0)
    assert latency.milliseconds([timed_out, unanswered, late]) == [5000.0, 5000.0, 6100.0]


def test_the_timeout_is_that_of_the_client_who_waited(operation):
    unanswered = operation(type="indeterminate", completed_at=None, response_ms=None, timeout_s=1.0)
    assert latency.milliseconds([unanswered]) == [1000.0]


def test_errors_that_came_back_fast_do_not_flatter_the_percentiles(operation):
    assert latency.milliseconds([operation(type="error", status=503, response_ms=1.0), operation(response_ms=7.0)]) == [7.0]


def test_a_connection_that_broke_is_no_wait_for_an_answer_however_late_it_broke(operation):
    broken = operation(type="error", status=0, error="lost", response_ms=4900.0)
    assert (broken.censored, latency.milliseconds([broken])) == (False, [])


def test_nearest_rank_is_a_value_that_occurred():
    assert latency.nearest_rank([3.0, 1.0, 2.0], 0.99) == 3.0
    assert latency.nearest_rank([3.0, 1.0, 2.0], 0.5) == 2.0
