"""What the commands about drills and game days answer, and with which exit code."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from chaos.gameday import Task
from failwhale import dayreport, drillsdoc
from failwhale import gameday as performing
from failwhale.bench.measure import Machine
from failwhale.commands import compare as compare_command
from failwhale.commands import drills as drills_command
from failwhale.commands import gameday as command
from failwhale.dayrecord import Drilled, Ended, Planned, Writer
from failwhale.dayreport import Report
from reference_app.kit.home import HOME_VARIABLE

MACHINE = Machine("2026-11-21T10:00:00Z", "CPU", 2, 23.5, "6.1", "3.11", 0.1, {})
DAY = "title: One\nentries: [kill-tweet-shard, {drill: kill-tweet-shard, sham: true}]\n"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    app = typer.Typer()
    for module in (command, compare_command, drills_command):
        module.register(app)
    return app


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "one.yaml"
    path.write_text(DAY)
    return str(path)


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Of a day that was as predicted."""
    task = Task(1, "kill-tweet-shard", sham=False, topology="small", expected_verdict="passed", seconds=200.0)
    writer = Writer(tmp_path / "home/gamedays/one")
    writer.write(Planned(0.0, "one", "one.yaml", "One", 1, "abc", MACHINE, (task,), 90, 0, 180, own_lab=True))
    writer.write(Ended(200.0, 1, 1, 2.0, Drilled("passed", ("It held.",), "run-1")))
    return dayreport.build(writer.record())


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-file.yaml"],
        ["--continue", "latest"],
        ["FILE", "--continue", "latest"],
        ["FILE", "--write-docs"],
        ["FILE", "--seed", "x"],
    ],
)
def test_what_makes_no_sense_is_a_usage_error(app: typer.Typer, file: str, arguments: list[str]) -> None:
    done = CliRunner().invoke(app, ["gameday", *(file if part == "FILE" else part for part in arguments)])
    assert done.exit_code == 2
    assert "Traceback" not in done.stderr


def test_a_day_that_goes_on_takes_no_other_seed(app: typer.Typer) -> None:
    done = CliRunner().invoke(app, ["gameday", "--continue", "latest", "--seed", "2"])
    assert (done.exit_code, "has its seed already" in done.stderr) == (2, True)


def test_a_dry_run_says_what_would_be_done_and_leaves_nothing(app: typer.Typer, file: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["gameday", file, "--dry-run", "--json"])
    foretold = json.loads(done.stdout)
    assert (done.exit_code, foretold["schema"], foretold["minutes"]) == (0, "failwhale/gameday-plan/v1", 7)
    assert sorted((drill["drill"], drill["sham"]) for drill in foretold["drills"]) == [
        ("kill-tweet-shard", False),
        ("kill-tweet-shard", True),
    ]
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(("ok", "code"), [(True, 0), (False, 1)])
def test_the_exit_code_says_whether_all_was_as_predicted(
    app: typer.Typer, file: str, report: Report, monkeypatch: pytest.MonkeyPatch, *, ok: bool, code: int
) -> None:
    monkeypatch.setattr(performing, "perform", lambda *_, **__: replace(report, ok=ok))
    done = CliRunner().invoke(app, ["gameday", file, "--json"])
    assert done.exit_code == code
    assert json.loads(done.stdout)["schema"] == "failwhale/gameday/v1"


def test_an_interrupt_is_130(app: typer.Typer, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> Report:
        raise KeyboardInterrupt

    monkeypatch.setattr(performing, "perform", interrupted)
    assert CliRunner().invoke(app, ["gameday", file]).exit_code == 130


def test_the_results_are_written_between_their_marks(
    app: typer.Typer, report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "REPOSITORY", tmp_path)
    (tmp_path / "docs").mkdir()
    document = tmp_path / drillsdoc.DOCUMENT
    document.write_text(f"before\n{drillsdoc.RESULTS[0]}\n{drillsdoc.RESULTS[1]}\nafter\n")
    dayreport.keep(tmp_path / "home/gamedays/one", report)
    assert CliRunner().invoke(app, ["gameday", "--write-docs"]).exit_code == 0
    assert "### One\n" in document.read_text()
    assert document.read_text().endswith("after\n")


def test_the_catalogue_is_one_object(app: typer.Typer) -> None:
    listed = json.loads(CliRunner().invoke(app, ["drills", "--json"]).stdout)
    drill = next(drill for drill in listed["drills"] if drill["name"] == "kill-tweet-shard")
    assert listed["schema"] == "failwhale/drills/v1"
    assert {"title", "description", "fault", "components", "topologies", "expected_verdict", "expected_alerts", "source"} <= drill.keys()


def test_runs_that_are_not_there_cannot_be_compared(app: typer.Typer) -> None:
    done = CliRunner().invoke(app, ["compare", "latest", "latest"])
    assert (done.exit_code, "there is no result of a run 'latest'" in done.stderr) == (2, True)
