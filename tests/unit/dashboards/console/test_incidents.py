"""The pages Incidents, Detection and Help as a user finds them."""

from __future__ import annotations

import time

import msgspec
import pytest
from msgspec.structs import replace

from dashboards.console import next_step, responding
from dashboards.console.draw import matrix, suspicion
from dashboards.console.draw import steps as courses
from dashboards.console.views import help as guide
from postmortems import incidentlog, store
from postmortems.diagnosis.model import Ranked
from postmortems.incidents import Alert, Fired, LiveIncident, Noted, Opened, Resolved
from postmortems.model import State, TimelineRow
from postmortems.scorecard import Cell
from reference_app.collector.segments import Segments
from reference_app.kit import lease
from reference_app.kit.home import Home
from tests.unit.dashboards.console.canned import Canned
from tests.unit.dashboards.console.conftest import Open


def test_an_empty_home_says_what_leaves_an_incident(empty_home: Home, opened: Open) -> None:
    page = opened("incidents")
    assert f"No incident is recorded in `{empty_home.incidents}`" in page.told
    assert "Nobody knows: Prometheus does not answer" in page.text("alerts")


def test_alerts_of_now_stand_above_what_is_recorded(prometheus: Canned, opened: Open) -> None:
    prometheus.alerts = [
        {"labels": {"alertname": "SloBurn", "severity": "page", "slo": "x"}, "state": "firing", "activeAt": "2026-11-21T02:45:00Z"}
    ]
    assert "SloBurn x page, firing for" in opened("incidents").text("alerts")


def test_a_recorded_incident_has_its_course_and_says_when_nobody_is_suspected(run_id: str, opened: Open) -> None:
    page = opened("incidents", incident=run_id)
    steps = page.text("steps")
    assert steps.index("baseline load begins") < steps.index("the fault is in force") < steps.index("the load ends")
    assert "fault the fault is in force: kill_and_hold on tweets-db-0-primary" in steps
    assert "Nobody is suspected: the snapshot holds no signals" in page.told


def test_a_snapshot_that_is_gone_is_told(home: Home, run_id: str, opened: Open) -> None:
    for path in (home.incidents / run_id / "snapshot").iterdir():
        path.unlink()
    assert opened("incidents", incident=run_id).app.warning


def test_suspects_are_ranked_with_reasons_for_and_against() -> None:
    markup = suspicion.html([Ranked("users-0", 4.0, ("callers waited",), ("nobody else complained",)), Ranked("graph-0", 1.0)])
    assert markup.index("1. users-0") < markup.index("2. graph-0")
    assert "width:25.0%" in markup
    assert '<b class="fw-bad">for</b> callers waited' in markup
    assert '<b class="fw-good">against</b> nobody else complained' in markup


def test_a_course_counts_from_its_first_row() -> None:
    steps = courses.steps([TimelineRow(10.0, "load", "it begins", "plan.json"), TimelineRow(75.0, "alert", "`X` fires", "alerts")])
    assert [(step.after, step.kind, step.text) for step in steps] == [("+0 s", "load", "it begins"), ("+1 min 05 s", "alert", "X fires")]


def test_a_matrix_says_in_words_what_was_noticed_and_leaves_out_what_nobody_broke() -> None:
    cells = [
        Cell("kill", "users", 2, 2, 1, ("ComponentDown",), 3.0), Cell("pause", "users", 2, 1, 0, (), None), Cell("pause", "graph", 1, 0, 0, (), None)
    ]  # fmt: skip
    rows = {row.kind: row.squares for row in matrix.rows(cells)}
    assert matrix.columns(cells) == ["graph", "users"]
    assert rows["kill"][0] is None
    assert [square.word for row in rows.values() for square in row if square] == ["✓ noticed", "✕ missed", "◐ in part"]
    assert "first told by: nobody" in matrix.html(cells)


def test_without_a_recorded_fault_nothing_is_said_of_alerts(empty_home: Home, opened: Open) -> None:
    page = opened("detection")
    assert f"No fault is recorded in `{empty_home.runs}`" in page.told
    assert "failwhale score" in page.told


def alert(name: str, severity: str, **about: str) -> Alert:
    return Alert(name, 1_795_229_200.0, {"alertname": name, "severity": severity} | about)


@pytest.fixture
def live(empty_home: Home) -> str:
    """A page opened an incident, and a ticket belongs to it."""
    log = incidentlog.Log(empty_home)
    page, cause = alert("SloBurn", "page", slo="home-completeness"), alert("ComponentDown", "ticket", component="users-0")
    log.append([Opened(1_795_229_200.0, "i1"), Fired(1_795_229_200.0, "i1", page), Fired(1_795_229_201.0, "i1", cause)])
    log.close()
    return "i1"


def test_an_incident_that_is_open_is_on_the_overview_and_has_its_course(live: str, opened: Open) -> None:
    assert "i1 open since 02:46:40 UTC · 2 of 2 alerts fire" in opened().text("happening")
    page = opened("incidents", live=live)
    assert "alert SloBurn for home-completeness (page) fires" in page.text("happens")


def test_an_incident_is_acknowledged_noted_and_closed(empty_home: Home, live: str, opened: Open) -> None:
    page = opened("incidents", live=live)
    page.app.button(key="ack").click()
    page.run()
    assert incidentlog.read(empty_home).incidents[live].status == "acknowledged"
    page.app.text_input(key="note").set_value("the replica is rebuilt")
    page.run().app.button(key="add-note").click()
    assert "notes: the replica is rebuilt" in page.run().text("happens")
    page.app.button(key="close").click()
    page.run()
    assert incidentlog.read(empty_home).incidents[live].status == "closed"
    assert "None is open" in opened().text("happening")


def end(home: Home) -> None:
    log = incidentlog.Log(home)
    fired = log.catch_up().alerts.values()
    log.append([Resolved(1_795_229_300.0, *alert.key, 1_795_229_300.0) for alert in fired])
    log.close()


def trace(home: Home, number: int, at: float) -> None:
    start = int(at * 1e9)
    span = (f"{number:032x}", f"{1:016x}", "", f"GET /{number}", "SERVER", "gateway", "gateway-0", start, start + 10**9, "ERROR", "", "{}")
    Segments(home.traces).write([span])


def test_where_no_page_ever_came_it_is_said_what_to_do(empty_home: Home, opened: Open) -> None:
    assert not empty_home.incidents.exists()
    page = opened("incidents")
    assert "No page ever opened an incident here, so nothing is to be done." in page.told
    assert 'href="/drills?view=Catalogue"' in page.pictures["startdrill"]


def test_the_next_step_of_an_incident_without_a_drill_fits_its_state(empty_home: Home, live: str, opened: Open) -> None:
    page = opened("incidents", live=live)
    assert "failwhale incident ack i1" in page.told
    page.app.button(key="ack").click()
    page.run()
    assert "failwhale trace failing" in page.told
    assert any("docs/runbooks/SloBurn.md" in block.value for block in page.app.markdown)
    end(empty_home)
    assert "failwhale postmortem new --incident i1" in page.run().told
    store.draft(empty_home, "i1", prometheus=None)
    assert "failwhale postmortem review i1 --reviewer NAME" in page.run().told
    assert 'href="/incidents?incident=i1"' in page.pictures["seeevidence"]
    assert "itsrun" not in page.pictures


@pytest.mark.parametrize(("url", "told"), [("docs/runbooks/Watchdog.md", "Watchdog.md"), ("", "WatchdogMissing.md")])
def test_the_runbook_to_read_is_the_one_that_the_alert_names(url: str, told: str) -> None:
    page = replace(alert("WatchdogMissing", "page"), runbook_url=url)
    incident = LiveIncident("i1", page.starts_at, alerts=(page,), notes=(Noted(page.starts_at, "i1", "ack", "ada"),))
    assert f"read `docs/runbooks/{told}`," in next_step.live(incident).told


def test_a_postmortem_of_an_incident_without_a_drill_speaks_of_no_run_and_no_prediction(empty_home: Home, live: str, opened: Open) -> None:
    end(empty_home)
    store.draft(empty_home, live, prometheus=None)
    page = opened("postmortems", incident=live)
    assert "seerun" not in page.pictures
    assert not any("predicted" in block.value for block in page.app.markdown)


@pytest.mark.parametrize("status", ["draft", "in-review", "published", "closed"])
def test_a_recorded_incident_has_a_next_step_in_every_state(empty_home: Home, live: str, status: State) -> None:
    end(empty_home)
    store.draft(empty_home, live, prometheus=None)
    step = next_step.recorded(store.set_status(empty_home.incidents / live, status).header)
    word = {"draft": "review i1", "in-review": "publish i1", "published": "close i1", "closed": "similar i1"}[status]
    assert step.command.startswith(f"failwhale postmortem {word}")


def test_traces_of_the_time_of_an_incident_without_a_drill_are_listed_while_it_fires_and_when_it_is_recorded(
    empty_home: Home, live: str, opened: Open
) -> None:
    for number, at in enumerate((1_795_229_000.0, 1_795_229_150.0, 1_795_229_250.0, 1_795_229_900.0), 1):
        trace(empty_home, number, at)
    end(empty_home)
    page = opened("incidents", live=live)
    while_live = page.text("slowest_live_trace")
    assert "GET /2" in while_live
    assert "GET /3" in while_live
    assert "GET /1" not in while_live
    assert "GET /4" not in while_live
    store.draft(empty_home, live, prometheus=None)
    recorded = opened("incidents", incident=live).text("slowest")
    assert (recorded.count("GET /"), "GET /2" in recorded, "GET /3" in recorded) == (2, True, True)


def test_an_incident_without_traces_says_so_and_how_to_get_some(live: str, opened: Open) -> None:
    told = opened("incidents", live=live).told
    assert "This incident has no traces: nothing was ever recorded in this lab" in told
    assert "failwhale decider set trace_sampling 10000" in told


def test_an_incident_that_comes_while_a_page_is_open_is_there_to_be_chosen(
    empty_home: Home, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = responding.known

    def meanwhile(home: Home) -> list[LiveIncident]:
        found = known(home)
        if not found:
            log = incidentlog.Log(home)
            log.append([Opened(1_795_229_200.0, "i2"), Fired(1_795_229_200.0, "i2", alert("SloBurn", "page", slo="x"))])
            log.close()
        return found

    monkeypatch.setattr(responding, "known", meanwhile)
    page = opened("incidents")
    assert [one.id for one in known(empty_home)] == ["i2"]
    assert page.app.selectbox(key="live").value == "i2"


@pytest.mark.usefixtures("lab")
def test_a_silence_that_alertmanager_does_not_take_is_told(live: str, opened: Open) -> None:
    page = opened("incidents", live=live)
    page.app.button(key="silence").click()
    assert "Alertmanager at http://127.0.0.1:9 did not answer" in page.run().told


@pytest.mark.usefixtures("home")
def test_a_recorded_fault_is_scored(opened: Open) -> None:
    page = opened("detection")
    assert page.metrics["Noticed"].startswith("1 of 1 (")
    assert "✓ noticed 1 of 1, 3.6 s" in page.text("matrix")


def test_a_run_in_the_place_of_another_is_scored_anew(home: Home, run_id: str, opened: Open) -> None:
    page = opened("detection")
    result = msgspec.json.decode((home.runs / run_id / "result.json").read_bytes())
    result["alerts"] |= {"fired": [], "missed": result["alerts"]["expected"]}
    (home.runs / run_id).rename(home.runs / "another")
    (home.runs / "another" / "result.json").write_bytes(msgspec.json.encode(result | {"run_id": "another"}))
    assert page.run().metrics["Noticed"].startswith("0 of 1 (")


def test_a_drill_that_is_killed_while_the_page_is_open_is_counted(home: Home, run_id: str, opened: Open) -> None:
    plan = msgspec.json.decode((home.runs / run_id / "plan.json").read_bytes()) | {"run_id": "killed"}
    (home.runs / "killed").mkdir()
    (home.runs / "killed" / "plan.json").write_bytes(msgspec.json.encode(plan))
    lease.take(home.chaos, "killed", now=time.time() + 3600)
    page = opened("detection")
    assert any("0 more left no result" in caption.value for caption in page.app.caption)
    lease.release(home.chaos)
    assert any("1 more left no result" in caption.value for caption in page.run().app.caption)


def test_a_result_of_another_version_is_told(home: Home, run_id: str, opened: Open) -> None:
    (home.runs / run_id / "result.json").write_bytes(msgspec.json.encode({"drill": 1}))
    assert "was left by another version" in opened("detection").told


def test_help_walks_through_the_tutorial_and_links_stay_in_the_console(opened: Open) -> None:
    page = opened("help", step="2-break")
    assert page.app.selectbox(key="step").value == "2-break"
    text = next(block.value for block in page.app.markdown if "failwhale drill" in block.value)
    assert "](/help?step=3-watch)" in text
    assert "](../" not in text


def test_a_link_to_a_file_of_the_repository_becomes_its_name() -> None:
    assert guide.readable("![The editor](../images/x.png) of [own.yaml](own.yaml)") == "The editor of own.yaml"
    assert guide.readable("see [the file](../../chaos/x.yaml) and [next](1-run.md)") == "see the file and [next](/help?step=1-run)"
