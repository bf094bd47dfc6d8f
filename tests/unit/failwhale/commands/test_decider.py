"""`failwhale decider`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from failwhale import cli
from reference_app.kit import changes, deciders
from reference_app.kit.home import HOME_VARIABLE, Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    return Home(tmp_path)


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli.build(["decider"]), ["decider", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_a_decider_is_set_listed_and_reset(home: Home) -> None:
    assert run("set", "tweet_cache", "2500") == (0, "", "tweet_cache: 10000 -> 2500\n")
    listed = {item["name"]: item for item in json.loads(run("list", "--json")[1])["deciders"]}
    assert listed["tweet_cache"]["value"] == 2500
    assert listed.keys() == deciders.DECIDERS.keys()
    assert run("reset")[2] == "tweet_cache: 2500 -> 10000\n"
    assert [change.new for change in changes.between(home, 0, float("inf"))] == ["2500", "10000"]


def test_a_list_for_people_names_every_decider(home: Home) -> None:  # noqa: ARG001 - its environment
    shown = run("list")[1]
    assert all(name in shown for name in deciders.DECIDERS)


@pytest.mark.parametrize("wrong", [("lunch", "1"), ("tweet_cache", "10001")])
def test_what_is_no_decider_is_refused(home: Home, wrong: tuple[str, str]) -> None:
    code, _, complaint = run("set", *wrong)
    assert (code, wrong[0] in complaint) == (2, True)
    assert not home.changes_file.exists()
