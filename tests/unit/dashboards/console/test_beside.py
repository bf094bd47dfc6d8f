"""Two runs beside one another."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chaos import comparison
from dashboards.console import beside, data
from dashboards.console.data import Run
from reference_app.kit.home import Home
from tests.unit.dashboards.console.conftest import Open

OTHER = "20261120T100000Z-kill-tweet-shard"


@pytest.fixture
def run(home: Home) -> Run:
    result = data.runs(home)[0].result
    assert result is not None
    return data.run(home, result)


@pytest.fixture
def two(home: Home, run_id: str) -> Home:
    """The recorded run, and an older one of the same drill that is its sham twin."""
    other = home.runs / OTHER
    (other / "load").mkdir(parents=True)
    for name in ("plan.json", "load/report.json"):
        (other / name).write_bytes((home.runs / run_id / name).read_bytes())
    result = (home.runs / run_id / "result.json").read_text().replace(run_id, OTHER)
    (other / "result.json").write_text(
        '{"sham": true, ' + result.lstrip().removeprefix("{").replace('"sham": false', '"was": 0').replace('"sham":false', '"was":0')
    )
    return home


def rows(specification: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    layer = next(each for each in specification["layer"] if each["mark"]["type"] == mark)
    found: list[dict[str, Any]] = specification["datasets"][layer["data"]["name"]]
    return found


def test_every_chart_has_both_runs_with_the_bands_of_their_faults_and_the_phases(run: Run) -> None:
    drawn = beside.drawn(replace(run, events=()), run)
    assert list(drawn) == ["answered", "complete", "latency", "posts"]
    for chart in drawn.values():
        specification = chart.to_dict()
        assert rows(specification, "rect") == [{"run": "second", "t": 21.02, "end": 39.4}]
        assert {row["run"] for row in rows(specification, "line")} == {"first", "second"}
        assert "fault" in {row["phase"] for row in rows(specification, "rule")}


def test_a_run_without_a_report_is_not_drawn(run: Run) -> None:
    assert beside.drawn(run, replace(run, report=None)) == {}


def test_a_drill_is_compared_with_its_sham_twin_by_itself(two: Home, run_id: str, opened: Open) -> None:
    page = opened("drills", view="Compare")
    assert page.app.query_params["first"] == OTHER
    assert page.app.query_params["second"] == run_id
    table = page.table("figure")
    assert set(table["judged"]) <= {"within", "beyond 10%", ""}
    assert "good home pages a second" in set(table["figure"])
    assert len(page.app.get("vega_lite_chart")) == 4
    seen = {each.run_id: each for each in data.compared(two)}
    assert beside.partner(seen[run_id], list(seen.values())) == OTHER


def test_two_runs_that_are_no_twins_say_why(two: Home, run_id: str) -> None:
    seen = next(each for each in data.compared(two) if each.run_id == run_id)
    assert "one has to be a drill and the other a sham" in beside.said(seen, seen)[0]
    assert comparison.why_no_twins(seen, seen)


@pytest.mark.usefixtures("home")
def test_one_run_alone_says_how_to_make_a_twin(opened: Open) -> None:
    assert "failwhale drill kill-tweet-shard --sham" in opened("drills", view="Compare").told
