from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from failwhale.bench import model, registry, report
from failwhale.bench.model import Bench, Interval, Measured
from failwhale.commands import bench as command
from reference_app.kit.home import HOME_VARIABLE


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """With two benchmarks: one passes its bar, one has regressed."""
    ratios = {"good": Interval(18, 17, 19), "regressed": Interval(30, 28, 32)}
    benches = {
        name: Bench(name, "What a read costs.", "lower", "a hello", 20.0, lambda terms, ratio=ratio: Measured(ratio, terms.pairs))
        for name, ratio in ratios.items()
    }
    monkeypatch.setattr(registry, "MODULES", dict.fromkeys(benches, ""))
    monkeypatch.setattr(registry, "load", benches.__getitem__)
    monkeypatch.setattr(command, "REPOSITORY", tmp_path)
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    (tmp_path / "docs").mkdir()
    app = typer.Typer()
    command.register(app)
    return app


def test_a_regression_makes_the_command_fail(app: typer.Typer) -> None:
    assert CliRunner().invoke(app, ["good"]).exit_code == 0
    assert CliRunner().invoke(app, ["good", "regressed"]).exit_code == 1


def test_json_is_one_object_of_the_published_schema(app: typer.Typer) -> None:
    answer = json.loads(CliRunner().invoke(app, ["--json"]).stdout)
    assert answer["schema"] == "failwhale/bench/v1"
    assert {"ratio", "low", "high", "better", "against", "repeats", "absolute"} <= answer["results"]["regressed"].keys()
    assert answer["results"]["regressed"]["passed"] is False
    assert answer["results"]["good"]["repeats"] == model.PAIRS


def test_a_quick_run_judges_and_keeps_nothing(app: typer.Typer, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["regressed", "--quick"]).exit_code == 0
    assert not (tmp_path / "home").exists()


def test_the_page_is_written_from_what_was_kept_without_running_anything(app: typer.Typer, tmp_path: Path) -> None:
    CliRunner().invoke(app, ["good"])
    assert CliRunner().invoke(app, ["--write"]).exit_code == 0
    page = (tmp_path / report.DOCUMENT).read_text()
    assert "≤ 20: passed" in page
    assert "| regressed | no result yet |" in page


def test_an_unknown_name_is_a_usage_error_that_names_the_known_ones(app: typer.Typer) -> None:
    done = CliRunner().invoke(app, ["speed"])
    assert done.exit_code == 2
    assert "no benchmark 'speed'; there are good, regressed" in done.stderr
