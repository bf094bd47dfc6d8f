from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from failwhale.commands import postmortem
from reference_app.kit.home import HOME_VARIABLE

RECORDED = Path(__file__).parents[3] / "fixtures" / "recorded-run" / "runs"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    shutil.copytree(RECORDED, tmp_path / "runs")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    app = typer.Typer()
    postmortem.register(app)
    app.callback()(lambda: None)
    return app


@pytest.fixture
def run_id() -> str:
    return next(RECORDED.iterdir()).name


def test_a_run_becomes_a_postmortem_that_is_listed_shown_and_true(app: typer.Typer, run_id: str) -> None:
    runner = CliRunner()
    drafted = runner.invoke(app, ["postmortem", "new", run_id, "--json"])
    assert drafted.exit_code == 0, drafted.output
    assert Path(msgspec.json.decode(drafted.stdout)["postmortem"]).exists()
    listed = msgspec.json.decode(runner.invoke(app, ["postmortem", "list", "--json"]).stdout)
    assert [incident["id"] for incident in listed["incidents"]] == [run_id]
    shown = runner.invoke(app, ["postmortem", "show", run_id])
    assert "Contributing conditions" in shown.stdout
    assert "fig:" not in shown.stdout
    checked = runner.invoke(app, ["postmortem", "check", "latest"])
    assert (checked.exit_code, checked.stdout) == (0, "")


def test_the_latest_of_none_is_a_sentence_and_exit_code_2(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["postmortem", "show", "latest"])
    assert result.exit_code == 2
    assert "there is no incident" in result.stderr


def test_a_false_number_is_reported_with_exit_code_1(app: typer.Typer, run_id: str, tmp_path: Path) -> None:
    runner = CliRunner()
    runner.invoke(app, ["postmortem", "new", run_id])
    path = tmp_path / "incidents" / run_id / "postmortem.md"
    path.write_text(path.read_text().replace("0<!-- fig:posts.lost", "4<!-- fig:posts.lost"))
    checked = runner.invoke(app, ["postmortem", "check", run_id, "--json"])
    assert checked.exit_code == 1
    assert len(msgspec.json.decode(checked.stdout)["findings"]) == 2


@pytest.mark.parametrize("command", ["new", "show", "check"])
def test_a_run_that_does_not_exist_is_a_sentence_and_exit_code_2(app: typer.Typer, command: str) -> None:
    result = CliRunner().invoke(app, ["postmortem", command, "nowhere"])
    assert result.exit_code == 2
    assert "nowhere" in result.stderr


def test_an_action_is_changed_from_the_command_line_and_a_typed_done_is_told(app: typer.Typer, run_id: str, tmp_path: Path) -> None:
    runner = CliRunner()
    runner.invoke(app, ["postmortem", "new", run_id])
    runner.invoke(app, ["postmortem", "actions", "add", run_id, "Warm the cache", "--owner", "ada"])
    changed = runner.invoke(app, ["postmortem", "actions", "change", "latest", "A1", "--due", "2026-12-24", "--by", "grace", "--json"])
    assert changed.exit_code == 0, changed.output
    action = msgspec.json.decode(changed.stdout)["action"]
    assert (action["text"], action["owner"], action["due"]) == ("Warm the cache", "ada", "2026-12-24")
    path = tmp_path / "incidents" / run_id / "actions.yaml"
    path.write_text(path.read_text().replace("state: open", "state: done"))
    listed = runner.invoke(app, ["postmortem", "actions", "list", run_id])
    assert "action A1 says done, but no re-run of its drill is attached" in listed.stdout
    assert "grace changes action A1: due from nothing to 2026-12-24" in listed.stdout
    said = msgspec.json.decode(runner.invoke(app, ["postmortem", "actions", "list", run_id, "--json"]).stdout)
    assert list(said["doubts"]) == ["A1"]
    assert said["log"][-1]["changed"]["event"] == "actions.changed"
    assert runner.invoke(app, ["postmortem", "check", run_id]).exit_code == 1


def test_what_people_wrote_is_shown_as_they_wrote_it(app: typer.Typer, run_id: str) -> None:
    runner = CliRunner()
    runner.invoke(app, ["postmortem", "new", run_id])
    runner.invoke(app, ["postmortem", "actions", "add", run_id, "Refuse [/x] and [y]"])
    listed = runner.invoke(app, ["postmortem", "actions", "list", run_id])
    assert listed.exit_code == 0, listed.output
    assert "Refuse [/x] and [y]" in " ".join(listed.stdout.split())


def test_an_action_that_would_stay_as_it_is_is_a_sentence_and_exit_code_2(app: typer.Typer, run_id: str) -> None:
    runner = CliRunner()
    runner.invoke(app, ["postmortem", "new", run_id])
    runner.invoke(app, ["postmortem", "actions", "add", run_id, "Warm the cache"])
    same = runner.invoke(app, ["postmortem", "actions", "change", run_id, "A1"])
    assert (same.exit_code, "says that already" in same.stderr) == (2, True)
