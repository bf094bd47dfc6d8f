from __future__ import annotations

import numpy as np

from postmortems import logged, traced
from postmortems.diagnosis import voices
from tests.unit.postmortems.diagnosis.frozen import MOMENTS, changed, gauge


def asked(frozen, metric):
    return {
        (one.component, one.caller): round(float(np.mean(one.anomalous)), 3) for one in voices.of(frozen, MOMENTS) if one.metric == metric
    }


def test_where_failures_begin_is_a_share_of_all_that_began_then():
    failed = [gauge(None, 30.0, component="db", caller="tweets"), gauge(None, 10.0, component="cache", caller="tweets")]
    assert asked({traced.FAILED: failed}, voices.BEGAN) == {("db", "tweets"): 0.75, ("cache", "tweets"): 0.25}


def test_a_single_failure_speaks_softly():
    assert asked({traced.FAILED: [gauge(None, 1.0, component="db", caller="tweets")]}, voices.BEGAN) == {("db", "tweets"): 0.2}


def test_lines_that_name_nobody_or_their_own_component_accuse_nobody():
    lines = [gauge(None, 9.0, component="tweets", about=about, template=about) for about in ("", "tweets", "db")]
    assert changed(voices.of({logged.LINES: lines}, MOMENTS)) == {("db", "tweets", voices.NAMED)}


def test_the_time_of_slow_traces_is_shared_among_those_who_spent_it():
    spent = [gauge(None, 3.0, component="db", caller="tweets"), gauge(None, 1.0, component="tweets", caller="")]
    assert asked({traced.SPENT: spent}, voices.SPENT) == {("db", ""): 0.75, ("tweets", ""): 0.25}
