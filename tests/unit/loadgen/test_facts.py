from __future__ import annotations

import pytest

from loadgen import facts as facts_of
from loadgen import latency


def part(facts, lags, **changes):
    return facts(lags=latency.encoded(lags), lag_p99_ms=latency.nearest_rank(lags, 0.99), **changes)


def test_processes_are_judged_as_one_load_by_their_sums_and_by_the_worst_of_them(facts):
    good = part(facts, [1.0] * 100, sent=600, planned=600, cpu_peak=0.3, retried=2)
    bad = part(facts, [1.0] * 96 + [80.0] * 4, sent=400, planned=401, cpu_peak=0.9, stalls=1, longest_stall_ms=300.0, clock_step_s=-3.0)
    merged = facts_of.merged([good, bad])
    assert (merged.sent, merged.planned, merged.retried, merged.stalls) == (1000, 1001, 2, 1)
    assert (merged.cpu_peak, merged.longest_stall_ms, merged.clock_step_s) == (0.9, 300.0, -3.0)


def test_the_lag_of_all_is_that_of_all_their_requests_and_not_of_their_percentiles(facts):
    """4 of 100 were late in one process, and none of 900 in the other: 0.4 % of all."""
    late, many = part(facts, [1.0] * 96 + [80.0] * 4), part(facts, [1.0] * 900)
    assert late.lag_p99_ms == 80.0
    assert facts_of.merged([late, many]).lag_p99_ms == pytest.approx(1.0, rel=2e-3)


def test_who_was_stopped_first_says_why(facts):
    merged = facts_of.merged([facts(), facts(stopped_by="lease", stopped_at=41.0), facts(stopped_by="interrupt", stopped_at=40.0)])
    assert (merged.stopped_by, merged.stopped_at) == ("interrupt", 40.0)


def test_the_files_of_all_processes_are_read_as_one_and_a_missing_one_as_none(facts, tmp_path):
    facts_of.write(tmp_path, facts(sent=1), index=0, of=2)
    assert facts_of.read(tmp_path) is None
    facts_of.write(tmp_path, facts(sent=2), index=1, of=2)
    assert (read := facts_of.read(tmp_path)) is not None
    assert read.sent == 3
    facts_of.write(tmp_path / "alone", facts(sent=7))
    assert facts_of.read(tmp_path / "alone") == facts(sent=7)
    assert facts_of.read(tmp_path / "none") is None
