"""docs/tutorial: every command is one that there is, every snippet runs, every link and file is there."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from chaos.proxy.api import Endpoints
from chaos.proxy.registry import Registry
from failwhale import cli
from reference_app.kit.home import REPOSITORY

TUTORIAL = REPOSITORY / "docs" / "tutorial"
PAGES = sorted(TUTORIAL.glob("*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)\)")


def blocks(page: Path, language: str) -> list[str]:
    return [body for named, body in BLOCK.findall(page.read_text()) if named == language]


def commands() -> list[str]:
    return sorted({line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()})


def problem(command: str) -> str:
    """What is wrong with a line, empty when nothing is."""
    program, *arguments = shlex.split(command)
    checks = {
        "failwhale": unknown_command,
        "make": unknown_target,
        "cp": missing_source,
        "curl": unknown_call,
        ".venv/bin/python": unknown_module,
    }
    return checks[program](arguments) if program in checks else f"no test knows {program}"


def unknown_command(arguments: list[str]) -> str:
    """Parsed as the command line parses it, by the commands themselves; nothing is executed."""
    command: Any = typer.main.get_command(cli.build(arguments))
    name, context = "failwhale", None
    try:
        while hasattr(command, "commands"):
            context = command.make_context(name, arguments, parent=context)
            name, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])
        command.make_context(name, arguments, parent=context)
    except Exception as error:  # noqa: BLE001 - whatever the parser objects to
        return str(error) or repr(error)
    return ""


def unknown_target(arguments: list[str]) -> str:
    makefile = (REPOSITORY / "Makefile").read_text()
    return "" if re.search(rf"^{arguments[0]}:", makefile, re.MULTILINE) else f"no target {arguments[0]}"


def missing_source(arguments: list[str]) -> str:
    return "" if (REPOSITORY / arguments[0]).is_file() else f"no file {arguments[0]}"


def unknown_module(arguments: list[str]) -> str:
    return "" if arguments[0] == "-m" and importlib.util.find_spec(arguments[1]) else f"no module in {arguments}"


def unknown_call(arguments: list[str]) -> str:
    """A call of the fault proxy's API: a route that it has, and a body that is JSON."""
    method, path = arguments[arguments.index("-X") + 1], re.sub(r"^http://127.0.0.1:\d+", "", arguments[2])
    if "-d" in arguments:
        json.loads(arguments[arguments.index("-d") + 1])
    routes = Endpoints(Registry(seed=0, mark=0)).app().routes
    known = [route for route in routes if re.fullmatch(re.sub(r"{\w+}", r"[^/]+", str(getattr(route, "path", ""))), path)]
    return "" if any(method in (getattr(route, "methods", None) or ()) for route in known) else f"the proxy has no {method} {path}"


def links() -> Iterator[tuple[str, Path]]:
    for page in PAGES:
        yield from ((page.name, (page.parent / target).resolve()) for target in LINK.findall(page.read_text()))


def test_every_command_is_one_that_there_is() -> None:
    listed = commands()
    assert len(listed) > 20
    assert {command: why for command in listed if (why := problem(command))} == {}


@pytest.mark.parametrize(
    "command",
    [
        "failwhale drill kill-tweet-shard --shame",
        "failwhale gameday --continue",
        "failwhale trace shows 1",
        "failwhale conquer",
        "make coffee",
        "cp chaos/experiments/no-such-drill.yaml x.yaml",
        "curl -X PUT http://127.0.0.1:8474/lunch",
        ".venv/bin/python -m chaos.lunch",
        "rm -rf var",
    ],
)
def test_a_command_that_there_is_not_is_found_out(command: str) -> None:
    assert problem(command)


@pytest.mark.parametrize(("page", "code"), [(page.name, code) for page in PAGES for code in blocks(page, "python")])
def test_every_snippet_runs(page: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    exec(compile(code, page, "exec"), {"__name__": page})  # noqa: S102 - ours


def test_the_rules_for_an_objective_of_ones_own_are_made(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(REPOSITORY)
    (code,) = (code for code in blocks(TUTORIAL / "your-own-service.md", "python") if "own-slo.yaml" in code)
    exec(compile(code, "rules", "exec"), {})  # noqa: S102 - ours
    assert "slo: checkout-availability" in capsys.readouterr().out


def test_every_link_leads_somewhere() -> None:
    found = list(links())
    assert found
    assert [(page, str(target)) for page, target in found if not target.exists()] == []
