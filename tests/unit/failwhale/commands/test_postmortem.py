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
