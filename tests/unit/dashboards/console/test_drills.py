"""The Drills page as a user finds it, on a recorded run."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from pandas import DataFrame
from streamlit.testing.v1 import AppTest

from reference_app.kit.home import Home

APP = Path(__file__).parents[4] / "dashboards" / "console" / "app.py"


def opened(**link: str) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=60)
    for name, value in link.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception, page.exception
    return page


def table(page: AppTest, column: str) -> DataFrame:
    """The table that has this column (AppTest gives no keys to tables)."""
    return next(each.value for each in page.dataframe if column in each.value.columns)


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def test_an_empty_home_says_what_to_do(empty_home: Home) -> None:
    page = opened()
    assert f"No drill is recorded in `{empty_home.runs}`" in page.info[0].value
    assert page.code[0].value == "make demo"
    assert not page.selectbox


@pytest.mark.usefixtures("home")
def test_a_recorded_run_is_listed_with_verdict_audit_and_pages(run_id: str) -> None:
    row = table(opened(), "run").iloc[0]
    assert (row["run"], row["verdict"], row["expected"]) == (run_id, "deviated", "deviated")
    assert (row["acknowledged"], row["lost"], row["duplicated"], row["pages fired"]) == (73, 0, 0, 1)


@pytest.mark.usefixtures("home")
def test_a_run_is_shown_with_headline_audit_alerts_and_clocks() -> None:
    page = opened()
    assert metrics(page)["Lost posts"] == "0 of 73"
    assert metrics(page)["Time to detect"] == "3.6 s"
    alerts = table(page, "alert")
    assert list(alerts["alert"]) == ["ComponentDown", "SloBurn"]
    assert set(alerts["judged"]) == {"told the truth"}
    clocks = dict(table(page, "clock")[["clock", "value"]].to_numpy())
    assert clocks["time to mitigate"] == "not available"
    assert ("acknowledged and lost", "0") in {tuple(row) for row in table(page, "what").to_numpy()}


@pytest.mark.usefixtures("home")
def test_the_postmortem_is_shown_without_front_matter_and_marks() -> None:
    text = next(block.value for block in opened().markdown if "## Contributing conditions" in block.value)
    assert "fig:" not in text
    assert "snapshot_sha256" not in text
    assert "](figures/" not in text


def test_a_run_without_a_postmortem_says_how_to_draft_one(home: Home, run_id: str) -> None:
    (home.incidents / run_id / "postmortem.md").unlink()
    assert f"failwhale postmortem new {run_id}" in [block.value for block in opened().code]


def test_a_link_opens_its_run_and_choosing_another_changes_the_link(home: Home, run_id: str) -> None:
    older = home.runs / "20261120T100000Z-kill-tweet-shard"
    older.mkdir()
    recorded = (home.runs / run_id / "result.json").read_text()
    (older / "result.json").write_text(recorded.replace(run_id, older.name).replace('"verdict": "deviated"', '"verdict": "passed"', 1))
    page = opened(run=older.name)
    assert page.selectbox(key="run").value == older.name
    page.selectbox(key="run").select(run_id).run()
    assert page.query_params["run"] == run_id


@pytest.mark.usefixtures("home")
def test_a_link_to_a_run_that_is_not_there_shows_the_newest(run_id: str) -> None:
    page = opened(run="nowhere")
    assert "There is no run `nowhere`" in page.warning[0].value
    assert page.selectbox(key="run").value == run_id


def test_runs_without_a_readable_result_are_listed_as_such(home: Home, run_id: str) -> None:
    (home.runs / "20261122T000000Z-killed").mkdir()
    torn = home.runs / "20261123T000000Z-torn"
    torn.mkdir()
    (torn / "result.json").write_text('{"drill": ')
    listed = table(opened(), "run")
    assert listed["verdict"][0].startswith("its result.json cannot be read")
    assert listed["verdict"][1].startswith("no result")
    assert listed["run"][2] == run_id


def test_parts_that_did_not_run_are_not_available_and_never_zero(home: Home, run_id: str) -> None:
    path = home.runs / run_id / "result.json"
    result = msgspec.json.decode(path.read_bytes()) | {"audit": None, "alerts": None, "load": None}
    path.write_bytes(msgspec.json.encode(result))
    (home.runs / run_id / "load" / "report.json").unlink()
    page = opened()
    assert metrics(page)["Lost posts"] == metrics(page)["Complete pages, fault"] == "not available"
    told = " ".join(info.value for info in page.info)
    for sentence in ("no load report", "The audit is not available", "Alerts are not available"):
        assert sentence in told
