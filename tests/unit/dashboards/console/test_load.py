"""The Load page as a user finds it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from dashboards.console import loads
from dashboards.console.loads import Recorded
from dashboards.console.spawn import Spawner
from loadgen import history, report
from loadgen.model import presets
from postmortems import charts
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan
from reference_app.kit import files
from reference_app.kit.home import Home
from tests.unit.dashboards.console.conftest import Open

ALONE = "20261122T000000Z-load-goal"


@pytest.fixture
def found(home: Home, run_id: str) -> Recorded:
    recorded = loads.recorded(home, run_id)
    assert recorded is not None
    return recorded


@pytest.fixture
def under_way(home: Home, found: Recorded) -> Plan:
    """A load by itself, ten seconds in."""
    plan = replace(found.plan, run_id=ALONE, drill="", t0=time.time() - 10)
    files.write_json(home.runs / ALONE / plans.FILE, plan)
    (home.runs / ALONE / "load").mkdir()
    (home.runs / ALONE / history.FILE).write_text("")
    return plan


def rows(specification: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    layer = next(each for each in specification["layer"] if each["mark"]["type"] == mark)
    drawn: list[dict[str, Any]] = specification["datasets"][layer["data"]["name"]]
    return drawn


@pytest.mark.parametrize("preset", presets.PRESETS)
def test_what_is_planned_adds_up_to_the_arrivals_of_the_preset(preset: str) -> None:
    phases, wanted = plans.phases(), presets.named(preset)
    seconds = loads.expected(preset, phases, 1.0)
    curves = wanted.reads.over(phases), wanted.posts.over(phases)
    assert sum(second.reads + second.posts for second in seconds) == pytest.approx(
        sum(curve.expected(0, phases[-1].end) for curve in curves)
    )


def test_a_preset_that_is_gone_has_no_plan() -> None:
    assert loads.expected("replay:/nowhere.csv", plans.phases(), 1.0) == []


def test_planned_and_offered_share_a_chart_with_the_fault_and_the_phases(found: Recorded) -> None:
    specification = loads.offered(found, charts.marks(found.plan, (), ())).to_dict()
    assert {row["what"] for row in rows(specification, "line")} == {"planned", "offered"}
    assert "fault" in {row["phase"] for row in rows(specification, "rule")}


def test_an_empty_home_says_how_to_send_a_load(empty_home: Home, opened: Open) -> None:
    page = opened("load")
    assert empty_home.path
    assert "failwhale load run goal" in page.told
    assert page.app.button(key="send").disabled
    assert any("The lab is not up" in caption.value for caption in page.app.caption)


@pytest.mark.usefixtures("home")
def test_a_recorded_load_says_whether_it_may_be_believed(run_id: str, opened: Open) -> None:
    page = opened("load", run=run_id)
    assert page.metrics["Sent of planned"].endswith(f"of {page.metrics['Sent of planned'].partition(' ')[0]}")
    assert "fault" in set(page.table("phase")["phase"])
    assert len(page.app.get("vega_lite_chart")) == 2


def test_a_load_that_is_not_valid_says_why(home: Home, run_id: str, opened: Open) -> None:
    path = home.runs / run_id / report.FILE
    document = msgspec.json.decode(path.read_bytes())
    document["load"] |= {"valid": False, "invalid_reasons": ["requests left late: lag p99 99.0 ms, allowed 20 ms"], "slowest": []}
    path.write_bytes(msgspec.json.encode(document))
    page = opened("load", run=run_id)
    assert any("requests left late" in block.value for block in page.app.markdown)
    assert "an invalid measurement has no latencies" in page.told


@pytest.mark.usefixtures("under_way", "prometheus")
def test_a_load_under_way_shows_planned_beside_offered_and_forbids_another(opened: Open) -> None:
    page = opened("load")
    assert "goal is running" in page.text("course")
    assert page.metrics["Planned"] != page.metrics["Offered"] == "0/s"
    assert page.app.button(key="send").disabled


@pytest.mark.usefixtures("prometheus")
def test_a_load_is_started_with_its_clients_and_length(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, float]] = []
    monkeypatch.setattr(Spawner, "start_load", lambda _, preset, *, now, scale: started.append((preset, scale)) if now else None)
    page = opened("load", preset="castle")
    page.app.selectbox(key="clients").select("impatient")
    page.app.selectbox(key="scale").select(0.25)
    page.run().app.button(key="send").click()
    page.run()
    assert started == [("castle+impatient", 0.25)]


def test_a_load_that_is_stopped_is_interrupted(empty_home: Home) -> None:
    spawner = Spawner(empty_home, "load")
    spawner.start_load("goal", now=time.time(), scale=1)
    spawner.stop()
    deadline = time.monotonic() + 30
    while spawner.ended() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert not Spawner(empty_home, "drill").running()
