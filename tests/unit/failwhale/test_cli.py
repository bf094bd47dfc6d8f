"""What the front door makes of errors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import typer

from failwhale import cli, lifecycle
from reference_app.kit.home import HOME_VARIABLE
from reference_app.stack import errors


def code_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["failwhale", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_without_a_lab_the_user_is_told_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    assert code_of(monkeypatch, "status") == 2
    assert "run `failwhale up` first" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "down"])
def test_a_description_of_a_lab_that_is_damaged_is_named_with_the_way_out(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lab.json").write_text('{"home":')
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    assert code_of(monkeypatch, command) == 2
    said = capsys.readouterr().err
    assert (str(tmp_path / "lab.json") in said, "or delete lab.json" in said, "Traceback" in said) == (True, True, False)


@pytest.mark.parametrize(("error", "code"), [(errors.PortsTakenError(["18000 (gateway-0)"]), 2), (lifecycle.StartError("no answer"), 1)])
def test_an_environment_error_exits_2_and_a_failed_start_1(
    error: Exception, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    monkeypatch.setattr(lifecycle, "up", refuse)
    assert code_of(monkeypatch, "up") == code
    assert "Traceback" not in capsys.readouterr().err


def test_what_the_machine_refuses_is_said_with_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home").write_text("a file where the lab's directory belongs")
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    assert code_of(monkeypatch, "up") == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert str(tmp_path / "home") in said


@pytest.mark.parametrize("error", [ValueError("a bug"), TimeoutError()])
def test_an_error_of_the_program_itself_keeps_its_trace(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(lifecycle, "up", stumble)
    monkeypatch.setattr(sys, "argv", ["failwhale", "up"])
    with pytest.raises(type(error)):
        cli.main()


def registered(app: typer.Typer) -> set[str]:
    groups = {group.name for group in app.registered_groups if isinstance(group.name, str)}
    return groups | {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}


def test_the_table_of_commands_is_what_the_modules_register() -> None:
    assert registered(cli.build()) == {name for names in cli.COMMANDS.values() for name in names}


@pytest.mark.parametrize(("module", "names"), cli.COMMANDS.items())
def test_a_command_brings_its_own_module_only(module: str, names: tuple[str, ...]) -> None:
    assert registered(cli.build([names[0], "--help"])) == set(names), module
