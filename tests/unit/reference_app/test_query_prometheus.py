from __future__ import annotations

import pytest

from reference_app.query import prometheus
from tests import stub


@pytest.mark.parametrize(
    ("points", "grown"),
    [
        ([(8, 10), (9, 12), (11, 15), (12, 20)], 8),  # from the last sample before the window
        ([(9, 100), (11, 103), (12, 2), (13, 5)], 8),  # restarted from zero
        ([(11, 3), (12, 7)], 7),  # born in the window
        ([(9, 4)], 0),
        ([], 0),
    ],
)
def test_a_counter_grows_by_its_raw_differences(points: list[tuple[float, float]], grown: float) -> None:
    assert prometheus.increase_of(points, start=10) == grown


@pytest.mark.parametrize(
    ("times", "found"),
    [
        ([], []),
        ([1, 2, 3], [(1, 4)]),
        ([1, 3, 5], [(1, 6)]),  # a missed evaluation does not split
        ([1, 2, 8, 9], [(1, 3), (8, 10)]),
        ([98, 99, 100], [(98, None)]),  # still firing at the end
    ],
)
def test_evaluations_that_fired_become_stretches(times: list[float], found: list[tuple[float, float | None]]) -> None:
    assert list(prometheus.spans(times, end=100)) == found


def test_evaluations_that_are_further_apart_elsewhere_are_one_stretch_too() -> None:
    assert list(prometheus.spans([0, 15, 30, 45], end=100, every=15)) == [(0, 60)]


def test_a_long_range_is_asked_for_in_stretches_and_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prometheus refuses more than 11,000 points."""
    asked: list[tuple[float, float]] = []

    def rows(_self: object, _endpoint: str, *, start: float, end: float, **_more: object) -> list[prometheus._Row]:
        asked.append((start, end))
        return [prometheus._Row({"component": "a"}, values=[(start, "1"), (end, "2")])]

    monkeypatch.setattr(prometheus.Prometheus, "_rows", rows)
    (series,) = prometheus.Prometheus("http://127.0.0.1:9").range("up", 100, 100 + 25_000)
    assert asked == [(100, 10_099), (10_100, 20_099), (20_100, 25_100)]
    assert [at for at, _ in series.points] == [100, 10_099, 10_100, 20_099, 20_100, 25_100]


def test_nothing_listening_is_said_with_the_address() -> None:
    with pytest.raises(
        prometheus.PrometheusUnreachableError, match=r"Prometheus at http://127\.0\.0\.1:9 did not answer .*is the lab up\?"
    ):
        prometheus.Prometheus("http://127.0.0.1:9", timeout_s=1).instant("up")


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    stub.name_a_proxy(monkeypatch)
    body = b'{"status": "success", "data": {"result": [{"metric": {"component": "a"}, "value": [7, "1"]}]}}'
    with stub.answering(body) as port:
        assert prometheus.Prometheus(f"http://127.0.0.1:{port}").instant("up") == [prometheus.Sample({"component": "a"}, 7, 1)]
