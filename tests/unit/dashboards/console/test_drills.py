"""The Drills page as a user finds it, on a recorded run."""

from __future__ import annotations

import msgspec
import pytest

from reference_app.collector.rows import Row
from reference_app.collector.segments import Segments
from reference_app.kit.home import Home
from tests.unit.dashboards.console.canned import Canned
from tests.unit.dashboards.console.conftest import Open

RUN_START = 1_795_229_100.0
"""Load second 0 of the recorded run."""
NOISE = "0" * 31


@pytest.fixture
def traced(home: Home) -> Home:
    """Three requests of the run were traced: a slow one, one that failed, and one of a later time."""
    rows = [
        *_request(1, RUN_START + 10, seconds=2.5),
        *_request(2, RUN_START + 30, seconds=0.1, failed=True),
        *_request(3, RUN_START + 9000, seconds=9),
    ]
    Segments(home.traces).write(rows)
    return home


def _request(number: int, at: float, *, seconds: float, failed: bool = False) -> list[Row]:
    start, end, status = int(at * 1e9), int((at + seconds) * 1e9), "ERROR" if failed else "UNSET"
    why = '{"error.type": "timeout"}' if failed else "{}"
    return [
        (f"{number:032x}", f"{1:016x}", "", "GET /home", "SERVER", "gateway", "gateway-0", start, end, "UNSET", "", "{}"),
        (f"{number:032x}", f"{2:016x}", f"{1:016x}", "GET /internal/home", "CLIENT", "gateway", "gateway-0", start, end, status, "", why),
    ]


EVIDENCE = "Audit, alerts, clocks"


def test_an_empty_home_says_what_to_do(empty_home: Home, opened: Open) -> None:
    page = opened("drills")
    assert f"No drill is recorded in `{empty_home.runs}`" in page.told
    assert "make demo" in page.told
    assert not page.app.selectbox


def test_a_recorded_run_is_listed_with_verdict_audit_and_pages(run_id: str, opened: Open) -> None:
    row = opened("drills").table("run").iloc[0]
    assert (row["run"], row["verdict"], row["expected"]) == (run_id, "deviated", "deviated")
    assert (row["acknowledged"], row["lost"], row["duplicated"], row["pages fired"]) == (73, 0, 0, 1)


@pytest.mark.usefixtures("home")
def test_a_run_is_shown_with_its_headline_and_its_charts(opened: Open) -> None:
    page = opened("drills")
    assert page.metrics["Lost posts"] == "0 of 73"
    assert page.metrics["Time to detect"] == "3.6 s"
    assert len(page.app.get("vega_lite_chart")) == 4


@pytest.mark.parametrize(
    ("complete", "partial", "told"), [(29, 58, "33 %"), (9996, 4, "99.9 %"), (29, 0, "100 %"), (0, 0, "not available")]
)
def test_complete_pages_are_a_share_of_those_that_were_served(
    home: Home, run_id: str, opened: Open, complete: int, partial: int, told: str
) -> None:
    path = home.runs / run_id / "result.json"
    result = msgspec.json.decode(path.read_bytes())
    result["load"]["phases"]["fault"] |= {"pages_complete": complete, "pages_partial": partial}
    result["load"]["phases"]["fault"]["home"]["sent"] = 20_000
    path.write_bytes(msgspec.json.encode(result))
    assert opened("drills").metrics["Complete pages"] == told


@pytest.mark.usefixtures("home")
def test_a_run_is_shown_with_audit_alerts_and_clocks(opened: Open) -> None:
    page = opened("drills", part=EVIDENCE)
    alerts = page.table("alert")
    assert list(alerts["alert"]) == ["ComponentDown", "SloBurn"]
    assert set(alerts["judged"]) == {"told the truth"}
    clocks = dict(page.table("clock")[["clock", "value"]].to_numpy())
    assert clocks["time to mitigate"] == "not available"
    assert ("acknowledged and lost", "0") in {tuple(row) for row in page.table("what").to_numpy()}


@pytest.mark.usefixtures("home")
def test_the_postmortem_is_shown_without_front_matter_and_marks(opened: Open) -> None:
    shown = opened("drills", part="Postmortem").app.markdown
    text = next(block.value for block in shown if "## Contributing conditions" in block.value)
    assert "fig:" not in text
    assert "snapshot_sha256" not in text
    assert "](figures/" not in text


def test_a_run_without_a_postmortem_says_how_to_draft_one(home: Home, run_id: str, opened: Open) -> None:
    (home.incidents / run_id / "postmortem.md").unlink()
    assert f"failwhale postmortem new {run_id}" in opened("drills", part="Postmortem").told


def test_a_link_opens_its_run_and_choosing_another_changes_the_link(home: Home, run_id: str, opened: Open) -> None:
    older = home.runs / "20261120T100000Z-kill-tweet-shard"
    older.mkdir()
    recorded = (home.runs / run_id / "result.json").read_text()
    (older / "result.json").write_text(recorded.replace(run_id, older.name).replace('"verdict": "deviated"', '"verdict": "passed"', 1))
    page = opened("drills", run=older.name, trace=f"{NOISE}1")
    assert page.app.selectbox(key="run").value == older.name
    page.app.selectbox(key="run").select(run_id)
    page.run()
    assert page.app.query_params["run"] == run_id
    assert "trace" not in page.app.query_params


def test_a_link_to_a_run_that_is_not_there_shows_the_newest(run_id: str, opened: Open) -> None:
    page = opened("drills", run="nowhere")
    assert "There is no run `nowhere`" in page.told
    assert page.app.selectbox(key="run").value == run_id


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("link", ["run", "trace"])
def test_a_picture_in_a_link_is_not_drawn(opened: Open, link: str) -> None:
    page = opened("drills", part="Traces", **{link: "`\n\n![](http://host/x)"})
    told = next(box.value for box in page.app.warning if "http://host/x" in box.value)
    assert told.count("`") == 2, "all of it is one piece of code"
    assert "\n" not in told
    assert "http://host/x" in told.split("`")[1]


def test_runs_without_a_readable_result_are_listed_as_such(home: Home, run_id: str, opened: Open) -> None:
    (home.runs / "20261122T000000Z-killed").mkdir()
    torn, load = home.runs / "20261123T000000Z-torn", home.runs / "20261124T000000Z-load-goal"
    torn.mkdir()
    (torn / "result.json").write_text('{"drill": ')
    load.mkdir()
    plan = msgspec.json.decode((home.runs / run_id / "plan.json").read_bytes()) | {"drill": ""}
    (load / "plan.json").write_bytes(msgspec.json.encode(plan))
    listed = opened("drills").table("run")
    assert listed["verdict"][0] == "a load without a drill"
    assert listed["verdict"][1].startswith("its result.json cannot be read")
    assert listed["verdict"][2].startswith("no result")
    assert listed["run"][3] == run_id


@pytest.mark.parametrize("part", ["Charts", EVIDENCE])
def test_parts_that_did_not_run_are_not_available_and_never_zero(home: Home, run_id: str, opened: Open, part: str) -> None:
    path = home.runs / run_id / "result.json"
    result = msgspec.json.decode(path.read_bytes()) | {"audit": None, "alerts": None, "load": None}
    path.write_bytes(msgspec.json.encode(result))
    (home.runs / run_id / "load" / "report.json").unlink()
    page = opened("drills", part=part)
    assert page.metrics["Lost posts"] == page.metrics["Complete pages"] == "not available"
    expected = ("no load report",) if part == "Charts" else ("The audit is not available", "Alerts are not available")
    assert all(sentence in page.told for sentence in expected)


@pytest.mark.usefixtures("home")
def test_a_run_without_traces_says_so_and_how_to_get_some(opened: Open) -> None:
    page = opened("drills", part="Traces")
    assert "nothing was ever recorded in this lab" in page.told
    assert "failwhale decider set trace_sampling 10000" in page.told


@pytest.mark.usefixtures("traced")
def test_traces_of_the_run_are_listed_slowest_first_and_those_of_other_times_are_not(opened: Open) -> None:
    text = opened("drills", part="Traces").text("slowest")
    assert "02:45:10 GET /home gateway 2.5 s 2 02:45:30 GET /home gateway 100 ms ✕ 1 failed 2" in text
    assert "9 s" not in text


@pytest.mark.usefixtures("traced")
def test_failing_traces_can_be_asked_for(opened: Open) -> None:
    page = opened("drills", part="Traces")
    page.app.segmented_control(key="choice").set_value("failing")
    text = page.run().text("failing")
    assert "✕ 1 failed" in text
    assert "2.5 s" not in text


@pytest.mark.usefixtures("traced")
def test_a_link_to_a_trace_opens_its_waterfall(opened: Open) -> None:
    page = opened("drills", trace=f"{NOISE}2")
    assert "GET /home 100 ms waited for 2 spans 1 failed" in page.text("spans")
    assert "✕ timeout" in page.text("spans")
    assert f'fw-chosen" data-pick="{NOISE}2"' in page.pictures["slowest"]


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize(("trace", "told"), [(f"{NOISE}9", "No span of trace"), ("42", "The link is broken: `'42' is no trace id")])
def test_a_link_to_no_trace_says_so(opened: Open, trace: str, told: str) -> None:
    page = opened("drills", trace=trace)
    assert told in page.told
    assert "spans" not in page.pictures


@pytest.mark.usefixtures("traced")
def test_exemplars_need_a_lab_and_say_so(opened: Open) -> None:
    page = opened("drills", part="Traces")
    page.app.segmented_control(key="choice").set_value("exemplars")
    assert "Exemplars are kept by the Prometheus of a running lab, and there is none here" in page.run().told


@pytest.mark.usefixtures("traced", "lab")
def test_exemplars_of_a_dead_prometheus_are_not_available(opened: Open) -> None:
    page = opened("drills", part="Traces")
    page.app.segmented_control(key="choice").set_value("exemplars")
    assert "Exemplars are kept by Prometheus. Prometheus at http://127.0.0.1:9 did not answer" in page.run().told


@pytest.mark.usefixtures("traced")
def test_a_trace_is_found_from_an_exemplar_of_a_latency_histogram(prometheus: Canned, opened: Open) -> None:
    series = {"component": "gateway-0", "http_request_method": "GET", "http_route": "/home", "le": "5.0"}
    kept = [{"labels": {"trace_id": f"{NOISE}1"}, "value": value, "timestamp": RUN_START + 10} for value in ("2.5", "2.4")]
    prometheus.exemplars = [{"seriesLabels": series, "exemplars": kept}]
    page = opened("drills", part="Traces")
    page.app.segmented_control(key="choice").set_value("exemplars")
    assert "02:45:10 GET /home gateway-0 2.5 s" in page.run().text("exemplars")
    assert page.pictures["exemplars"].count("data-pick") == 1
