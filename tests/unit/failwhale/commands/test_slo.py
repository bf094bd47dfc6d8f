from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dashboards.rules import generate, slo
from failwhale.commands import slo as command
from reference_app.kit import home


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
    monkeypatch.setattr(slo, "read", lambda: (slo.Slo("easy", "gateway", 0.9, "good", "total"),))
    code, said = invoke(app, "generate")
    assert code == 2
    assert "easy: 14.4 x (1 - 0.9) = 1.44" in said
    assert not (tmp_path / generate.FOLDER).exists()
