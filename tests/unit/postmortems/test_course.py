from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from failwhale import cli
from postmortems import check, course, evidence, incidentlog, lint, store
from postmortems.incidents import Alert, Fired, Noted, Opened, Resolved
from postmortems.model import Draft
from reference_app.kit import changes
from reference_app.kit.changes import Change
from reference_app.kit.home import Home
from reference_app.query.prometheus import AlertSpan, Series

T = 1795229000.0
NAME = "20261121T024320Z-home-completeness"
PAGE = {"alertname": "SloBurn", "severity": "page", "slo": "home-completeness"}
EARLIER = {"alertname": "DiskFilling", "severity": "ticket", "component": "graph-db-0"}
DOWN = {"alertname": "ComponentDown", "severity": "ticket", "component": "tweets-db-0-primary"}


class Told:
    """A Prometheus that knows of both alerts and has nothing else."""

    def range(self, query: str, start: float, end: float, step: float = 1) -> list[Series]:  # noqa: ARG002
        return []

    def alert_spans(self, start: float, end: float) -> list[AlertSpan]:
        assert start < T - 2, "what fired before begins at the start that is asked for"
        assert end == T + 60 + course.TAIL_S
        names = ((DOWN, T - 2, T + 60), (PAGE, T, T + 40), (EARLIER, start, T + 70))
        return [AlertSpan(o["alertname"], {k: v for k, v in o.items() if k != "alertname"}, a, b) for o, a, b in names]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A page and a ticket, which somebody acknowledged; a deploy shortly before."""
    home = Home(tmp_path)
    log = incidentlog.Log(home)
    log.append([Opened(T, NAME), Fired(T, NAME, Alert("a", T, PAGE, "Home pages are incomplete")), Fired(T, NAME, Alert("b", T, DOWN))])
    log.append([Noted(T + 9, NAME, "ack", "ada"), Noted(T + 20, NAME, "note", "ada", "The primary of shard 0 does not answer.")])
    log.close()
    changes.record(home, Change(T - 120, "deploy", "tweets", "v1", "v2", "grace"))
    return home


@pytest.fixture
def drill(tmp_path: Path, recorded_home: Home) -> Draft:
    shutil.copytree(recorded_home.incidents, tmp_path / "drilled" / "incidents")
    directory = next((tmp_path / "drilled" / "incidents").iterdir())
    return Draft(directory, directory / store.POSTMORTEM, directory / store.SNAPSHOT)


@pytest.fixture
def over(home: Home) -> Home:
    log = incidentlog.Log(home)
    log.append([Resolved(T + 40, "a", T, T + 40), Resolved(T + 60, "b", T, T + 60)])
    log.close()
    return home


def test_an_incident_without_a_drill_becomes_a_postmortem_that_is_true(over: Home) -> None:
    draft = store.draft(over, NAME, prometheus=Told(), clock=lambda: T + 500)
    text = draft.postmortem_path.read_text()
    assert check.findings(draft.incident_dir) == []
    assert "# Home pages are incomplete" in text
    assert "real_incident: true" in text
    assert "9.0 s<!-- fig:clock.tta_s -->" in text
    assert "grace sets the deploy `tweets` from v1 to v2" in text
    assert "ada notes: The primary of shard 0 does not answer." in text
    assert "Not frozen: operations.parquet: no load of the lab ran" in text
    assert "`SloBurn` for `home-completeness` (page) fires" in text
    assert "DiskFilling" not in text, "what fired before is of another incident"
    assert lint.findings(text) == []


def test_without_prometheus_its_alerts_are_those_that_were_reported(over: Home) -> None:
    draft = store.draft(over, NAME, prometheus=None, clock=lambda: T + 500, template="short")
    text = draft.postmortem_path.read_text()
    assert check.findings(draft.incident_dir) == []
    assert "`SloBurn` for `home-completeness` (page) fires<!-- fig:timeline" in text
    assert "not available<!-- fig:alerts.pages -->" in text
    assert store.read(over, NAME).header.template == "short/v1"
    assert store.draft(over, NAME, prometheus=None, clock=lambda: T + 900).message == ""
    assert store.read(over, NAME).header.template == "short/v1"


def test_a_drill_has_a_short_form_that_is_true_too(drill: Draft) -> None:
    home = Home(drill.incident_dir.parents[1])
    again = store.draft(home, drill.incident_dir.name, prometheus=None, template="short")
    text = again.postmortem_path.read_text()
    assert check.findings(again.incident_dir) == []
    assert "Verdict: deviated<!-- fig:verdict -->" in text
    assert "## What surprised us" not in text


def test_a_changed_acknowledgement_is_found(over: Home) -> None:
    draft = store.draft(over, NAME, prometheus=Told(), clock=lambda: T + 500)
    text = draft.postmortem_path.read_text()
    draft.postmortem_path.write_text(text.replace("9.0 s<!-- fig:clock.tta_s", "2.0 s<!-- fig:clock.tta_s"))
    assert any("states clock.tta_s as" in finding for finding in check.findings(draft.incident_dir))


def test_what_still_fires_is_not_frozen(home: Home) -> None:
    with pytest.raises(course.NotOverError, match="is acknowledged: evidence is frozen once"):
        store.draft(home, NAME, prometheus=None, clock=lambda: T + 500)
    assert not (home.incidents / NAME / store.SNAPSHOT / evidence.MANIFEST).exists()


def test_the_course_has_alerts_people_and_changes_in_the_order_of_time(over: Home) -> None:
    found = incidentlog.find(incidentlog.read(over), "latest")
    rows = course.rows(found, changes.between(over, *course.window(found, T + 500)))
    assert [row.kind for row in rows] == ["change", "alert", "alert", "response", "response", "alert", "alert"]
    assert course.window(replace(found, alerts=()), T + 500) == (T - course.LEAD_S, T + 500)


def test_the_commands_tell_note_and_draft(over: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILWHALE_HOME", str(over.path))

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli.build(arguments), arguments)
        return done.exit_code, done.output

    assert run("incident", "note", "latest", "The replica took over.", "--by", "ada") == (0, f"{NAME} is resolved\n")
    assert "ada notes: The replica took over." in run("incident", "show", NAME)[1]
    assert run("incident", "ack", "nowhere")[0] == 2
    assert NAME in run("incident", "list", "--json")[1]
    assert run("incident", "change", "restart", "tweets", "v3")[0] == 2
    assert run("postmortem", "new", "--incident", "latest", "--template", "drill")[0] == 2
    assert run("postmortem", "new", "--incident", "latest")[0] == 0
    assert run("incident", "close", NAME, "--reason", "over") == (0, f"{NAME} is closed\n")
    refused = run("postmortem", "review", NAME)
    assert refused[0] == 1
    assert "no reviewers are named" in refused[1]
    text = over.incidents / NAME / store.POSTMORTEM
    text.write_text(text.read_text().replace("\nreviewers: []\n", "\nreviewers: []\nteam: Team: timelines\n", 1))
    broken = run("postmortem", "review", NAME, "--reviewer", "grace")
    assert broken[0] == 2
    assert "front matter" in broken[1]
