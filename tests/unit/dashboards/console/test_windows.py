from __future__ import annotations

import pytest

from dashboards.console.lab.signals import SPAN_S
from dashboards.console.lab.windows import OVERLAP_S, Window, merged
from reference_app.query.prometheus import Prometheus, PrometheusUnreachableError, Series
from tests.unit.dashboards.console.canned import Canned, labels

KEY = frozenset({("service", "tweets")})
END = 1_795_229_100.0


def test_what_is_fresh_replaces_what_was_known_of_the_same_seconds() -> None:
    known = {KEY: [(1.0, 10.0), (2.0, 20.0), (3.0, 30.0)]}
    assert merged(known, [Series(dict(KEY), [(3.0, 31.0), (4.0, 40.0)])], start=3, oldest=2) == {
        KEY: [(2.0, 20.0), (3.0, 31.0), (4.0, 40.0)]
    }


def test_a_series_that_ended_is_kept_until_it_is_too_old() -> None:
    known = {KEY: [(1.0, 10.0), (2.0, 20.0)]}
    assert merged(known, [], start=5, oldest=2) == {KEY: [(2.0, 20.0)]}
    assert merged(known, [], start=5, oldest=3) == {}


def test_the_first_look_asks_for_all_and_the_next_for_what_is_new() -> None:
    answering = Canned(series={"up": {labels(service="tweets"): lambda at: at}})
    with answering.serve() as port:
        window, prometheus = Window("up"), Prometheus(f"http://127.0.0.1:{port}")
        window.read(prometheus, END)
        (series,) = window.read(prometheus, END + 2)
    assert [(start, end) for _, start, end in answering.asked] == [(END - SPAN_S, END), (END - OVERLAP_S, END + 2)]
    assert [at for at, _ in series.points] == [END + 2 - SPAN_S + second for second in range(SPAN_S + 1)]
    assert all(at == value for at, value in series.points)


def test_a_prometheus_that_was_away_is_asked_for_all_that_was_missed() -> None:
    answering = Canned(series={"up": {labels(service="tweets"): lambda at: at}})
    window = Window("up")
    with answering.serve() as port:
        window.read(Prometheus(f"http://127.0.0.1:{port}"), END)
    with pytest.raises(PrometheusUnreachableError):
        window.read(Prometheus(f"http://127.0.0.1:{port}", 1), END + 20)
    with answering.serve() as port:
        (series,) = window.read(Prometheus(f"http://127.0.0.1:{port}"), END + 40)
    assert [at for at, _ in series.points] == [END + 40 - SPAN_S + second for second in range(SPAN_S + 1)]
