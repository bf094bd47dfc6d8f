from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dashboards.console import charts, data
from dashboards.console.data import Run
from reference_app.kit.home import Home


@pytest.fixture
def run(home: Home) -> Run:
    result = data.runs(home)[0].result
    assert result is not None
    return data.run(home, result)


def rows(specification: dict[str, Any], layer: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = specification["datasets"][layer["data"]["name"]]
    return found


def layer(specification: dict[str, Any], mark: str) -> dict[str, Any]:
    return next(each for each in specification["layer"] if each["mark"]["type"] == mark)


def test_every_chart_carries_the_fault_as_a_band_at_its_times(run: Run) -> None:
    for name, chart in charts.of_run(run, latency_scale="log").items():
        specification = chart.to_dict()
        assert rows(specification, layer(specification, "rect")) == [{"start": 21.02, "end": 39.4, "what": "fault in force"}], name


def test_every_chart_carries_the_alerts_at_the_seconds_at_which_they_fired(run: Run) -> None:
    for chart in charts.of_run(run, latency_scale="log").values():
        specification = chart.to_dict()
        fired = rows(specification, specification["layer"][-1])
        assert [(row["alert"], round(row["fired"], 2)) for row in fired] == [
            ("ComponentDown", 24.6),
            ("SloBurn", 30.2),
        ]


def test_every_chart_marks_the_phases(run: Run) -> None:
    for chart in charts.of_run(run, latency_scale="log").values():
        specification = chart.to_dict()
        starts = {row["phase"]: row["t"] for row in rows(specification, layer(specification, "rule"))}
        assert starts == {"warmup": 0, "baseline": 3, "ramp": 11, "before": 13, "fault": 21, "after": 39, "decay": 61}


def test_the_share_of_complete_pages_falls_during_the_fault_only(run: Run) -> None:
    specification = charts.of_run(run, latency_scale="log")["complete"].to_dict()
    shares = {row["t"]: row["value"] for row in rows(specification, layer(specification, "line"))}
    assert {shares[t] for t in range(21) if shares[t] is not None} == {1.0}
    assert min(shares[t] for t in range(25, 39) if shares[t] is not None) < 0.5


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_latency_is_drawn_on_the_scale_that_was_asked_for(run: Run, scale: Any) -> None:
    specification = charts.of_run(run, latency_scale=scale)["latency"].to_dict()
    assert layer(specification, "line")["encoding"]["y"]["scale"]["type"] == scale


def test_a_run_without_a_fault_has_no_band_and_no_alert(run: Run) -> None:
    rehearsal = replace(run, events=())
    for chart in charts.of_run(rehearsal, latency_scale="log").values():
        assert [each["mark"]["type"] for each in chart.to_dict()["layer"]] == ["rule", "text", "line"]


def test_a_run_without_a_load_report_has_no_charts(run: Run) -> None:
    assert charts.of_run(replace(run, report=None), latency_scale="log") == {}


def test_latency_that_may_not_be_believed_is_said_to_be_missing(run: Run) -> None:
    assert run.report is not None
    unknown = replace(run, report=replace(run.report, series=[replace(second, p99_ms=None) for second in run.report.series]))
    title = charts.of_run(unknown, latency_scale="log")["latency"].to_dict()["title"]["text"]
    assert title == "99th percentile of latency: not available, the load is invalid"
