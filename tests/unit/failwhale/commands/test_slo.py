from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from dashboards.rules import generate
from failwhale import cli
from failwhale.commands import slo as command
from reference_app.kit import home
from reference_app.query import slo


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    command.register(app)
    return app


def invoke(app: typer.Typer, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["slo", *arguments])
    return result.exit_code, result.stderr


def test_what_was_generated_passes_the_check_and_an_edit_does_not(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "REPOSITORY", tmp_path)
    assert invoke(app, "generate")[0] == 0
    assert invoke(app, "generate", "--check") == (0, "")
    (tmp_path / generate.FOLDER / "lab.yml").write_text("groups: []\n")
    code, said = invoke(app, "generate", "--check")
    assert code == 1
    assert "deploy/_gen/rules/lab.yml is not what would be generated: run `make gen`" in said


def test_an_objective_that_could_never_burn_is_refused_with_the_arithmetic(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "REPOSITORY", tmp_path)
    monkeypatch.setattr(slo, "read", lambda **_: (slo.Slo("easy", "gateway", 0.9, "good", "total"),))
    code, said = invoke(app, "generate")
    assert code == 2
    assert "easy: 14.4 x (1 - 0.9) = 1.44" in said
    assert not (tmp_path / generate.FOLDER).exists()


def test_runbooks_name_only_commands_that_exist() -> None:
    for runbook in sorted((home.REPOSITORY / "docs/runbooks").glob("*.md")):
        assert _unknown(runbook.read_text()) == [], runbook.name


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert _unknown("Run `failwhale up`, `failwhale chaos undo` or `failwhale logs NAME`.") == []
    assert _unknown("Run `failwhale chaos repair` or `failwhale pray`.") == ["chaos repair", "pray"]


def _unknown(text: str) -> list[str]:
    """Commands that a text names and the front door does not have."""
    front_door = typer.main.get_command(cli.build())
    named = re.findall(r"`failwhale ([a-z]+)(?: ([a-z]+))?", text)
    return [" ".join(words).strip() for words in named if not _exists(front_door, *words)]


def _exists(front_door: Any, name: str, child: str) -> bool:
    command = front_door.commands.get(name)
    children = getattr(command, "commands", None)
    return command is not None and (children is None or child in children)
