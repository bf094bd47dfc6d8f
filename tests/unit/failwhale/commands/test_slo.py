from __future__ import annotations

import json
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


@pytest.mark.parametrize("other", [("--period", "28d"), ("--file", "own.yaml")])
def test_the_check_is_of_the_committed_rules_alone(app: typer.Typer, other: tuple[str, str]) -> None:
    code, said = invoke(app, "generate", "--check", *other)
    assert (code, "goes with neither --file nor --period" in said) == (2, True)


def test_an_objective_that_could_never_burn_is_refused_with_the_arithmetic(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "REPOSITORY", tmp_path)
    monkeypatch.setattr(slo, "read", lambda **_: (slo.Slo("easy", "gateway", 0.9, "good", "total"),))
    code, said = invoke(app, "generate")
    assert code == 2
    assert "easy: 14.4 x (1 - 0.9) = 1.44" in said
    assert not (tmp_path / generate.FOLDER).exists()


UPLOADS = home.REPOSITORY / "tests/golden/slo/uploads.yaml"


def output(app: typer.Typer, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["slo", *arguments])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_rules_of_other_objectives_are_printed_and_nothing_is_written(app: typer.Typer) -> None:
    assert output(app, "generate", "--file", str(UPLOADS)) == (UPLOADS.parent / "uploads.rules.yml").read_text()


def test_a_file_is_valid_or_refused_with_the_arithmetic(app: typer.Typer, tmp_path: Path) -> None:
    assert "uploads: 99.5 % over 28 d, burn rates 13.44, 5.6, 2.8, 0.933333" in output(app, "validate", str(UPLOADS))
    (tmp_path / "easy.yaml").write_text(UPLOADS.read_text().replace("99.5", "92"))
    code, said = invoke(app, "validate", str(tmp_path / "easy.yaml"), str(UPLOADS))
    assert code == 2
    assert "uploads: 13.44 x (1 - 0.92) = 1.0752" in said
    assert invoke(app, "validate", str(tmp_path / "none.yaml"))[0] == 2
    assert "10 s holds 0 scrapes" in invoke(app, "validate", "--period", "1d")[1]


def test_an_explanation_is_words_or_an_object(app: typer.Typer) -> None:
    assert "10 % bad (burn rate 100): fires after 9 s" in output(app, "explain", "home-read-availability", "--lab", "--share", "0.1")
    (told,) = json.loads(output(app, "explain", "--file", str(UPLOADS), "--json"))["objectives"]
    assert told["rules"][0]["factor"] == 13.44
    assert "there is no objective 'nothing'" in invoke(app, "explain", "nothing")[1]
    assert "--share 3 is no share" in invoke(app, "explain", "--share", "3")[1]


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
