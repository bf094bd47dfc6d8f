"""What `failwhale drill` refuses, and when `failwhale demo` ends the lab."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from failwhale import cli, lifecycle
from failwhale.commands import console
from failwhale.commands import drill as command
from reference_app.contract import topology
from reference_app.kit import files
from reference_app.kit.home import HOME_VARIABLE


@pytest.mark.parametrize("option", ["--directed", "--undirected"])
def test_what_a_pair_means_is_refused_without_pairs(option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    done = CliRunner().invoke(cli.build(["drill"]), ["drill", command.DEMO, "--dry-run", option])
    assert (done.exit_code, "they need --graph" in done.stderr) == (2, True)


@pytest.mark.parametrize(("sham", "fired", "code"), [(True, (), 0), (True, ("ComponentSlow",), 1), (False, ("ComponentSlow",), 0)])
def test_a_sham_that_fired_an_alert_is_not_what_was_predicted(fired: tuple[str, ...], code: int, *, sham: bool) -> None:
    outcome: Any = SimpleNamespace(verdict="passed", expected_verdict="passed", sham=sham, alerts=SimpleNamespace(fired=fired))
    assert command._exit_code(outcome) == code


@pytest.mark.parametrize(
    ("was_up", "code", "ci", "ended"),
    [
        (True, 2, "", False),
        (True, 130, "", False),
        (True, 2, "1", True),
        (False, 2, "", True),
        (False, 130, "", True),
        (False, 0, "", False),
        (True, 0, "1", True),
    ],
)
def test_a_demo_that_was_refused_ends_no_lab_that_ran_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, was_up: bool, code: int, ci: str, ended: bool
) -> None:
    def drilled(*_: object, **__: object) -> None:
        raise typer.Exit(code)

    lab = topology.Lab(str(tmp_path), "small", 1, topology.components(topology.SMALL, 1), "key", "password")
    files.write_json(tmp_path / "lab.json", lab)
    downs: list[object] = []
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(command, "drill", drilled)
    monkeypatch.setattr(command, "Control", lambda _: SimpleNamespace(supervised=lambda: was_up))
    monkeypatch.setattr(lifecycle, "down", lambda *_: downs.append(1))
    monkeypatch.setattr(console, "start_detached", lambda *_: "http://127.0.0.1:1")
    assert CliRunner().invoke(cli.build(["demo"]), ["demo"]).exit_code == code
    assert bool(downs) == ended
