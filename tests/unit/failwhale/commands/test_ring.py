"""`failwhale ring`."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from typer.testing import CliRunner

from failwhale import cli
from reference_app.contract import topology
from reference_app.contract.topology import STANDARD, Lab
from reference_app.kit import files, membership
from reference_app.kit.home import HOME_VARIABLE, Home
from reference_app.kit.membership import Members
from reference_app.stack import rings
from reference_app.stack.errors import StackError

NAMES = ("timeline-cache-0", "timeline-cache-1", "timeline-cache-2")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    found = Home(tmp_path)
    lab = Lab(str(tmp_path), "standard", 1, topology.components(STANDARD, 1), signing_key="", supervisor_password="")
    files.write_json(found.lab_file, lab)
    return found


def listed() -> dict[str, dict[str, list[str]]]:
    done = CliRunner().invoke(cli.build(["ring"]), ["ring", "list", "--json"])
    return {ring["group"]: ring for ring in json.loads(done.stdout)["rings"]}


def test_rings_are_listed_with_the_caches_that_are_out_of_them(home: Home) -> None:
    assert (listed()["timeline-cache"]["nodes"], listed()["timeline-cache"]["out"]) == ([*NAMES], [])
    membership.announce(home, "timeline-cache", Members(NAMES), NAMES[:2], by="test", now=1000.0, guarded=True)
    assert (listed()["timeline-cache"]["nodes"], listed()["timeline-cache"]["out"]) == ([*NAMES[:2]], [NAMES[2]])
    assert NAMES[2] in CliRunner().invoke(cli.build(["ring"]), ["ring", "list"]).stdout


@pytest.mark.parametrize(("arguments", "complaint"), [(("lunch", "a"), "no ring 'lunch'"), (("timeline-cache", "lunch"), "lunch")])
@pytest.mark.usefixtures("home")
def test_what_is_no_ring_or_no_cache_is_refused(arguments: tuple[str, str], complaint: str) -> None:
    done = CliRunner().invoke(cli.build(["ring"]), ["ring", "set", *arguments])
    assert isinstance(done.exception, StackError)
    assert complaint in str(done.exception)


@pytest.mark.usefixtures("home")
def test_a_ring_that_is_so_already_is_left_as_it_is() -> None:
    done = CliRunner().invoke(cli.build(["ring"]), ["ring", "set", "timeline-cache", *reversed(NAMES)])
    assert (done.exit_code, done.stderr) == (0, f"in force: {' '.join(NAMES)}\n")


def test_a_second_change_waits_until_the_first_is_done(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(rings, "change", lambda *_, **__: order.append("second") or Members(NAMES))
    first = ExitStack()
    first.enter_context(files.locked(home.path / "ring-change.lock"))
    first.callback(order.append, "first")
    threading.Timer(0.3, first.close).start()
    done = CliRunner().invoke(cli.build(["ring"]), ["ring", "set", "timeline-cache", *NAMES])
    assert (done.exit_code, order) == (0, ["first", "second"])
