"""Whole drills from the command line, and what becomes of one whose process is killed or interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from chaos import events, undo
from reference_app.contract.topology import Lab
from reference_app.kit import lease
from reference_app.kit.home import REPOSITORY, Home
from reference_app.stack import marks
from reference_app.stack.control import Control
from tests.waiting import await_true

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.verify, pytest.mark.timeout(400)]

PASSING, KILLED = "kill-tweet-shard", "tweets-db-0-primary"
SHORT = [
    "--phase",
    "warmup=3",
    "--phase",
    "baseline=4",
    "--phase",
    "ramp=1",
    "--phase",
    "before=5",
    "--phase",
    "fault=20",
    "--phase",
    "decay=2",
]
LIMIT_S = 15


def injected(home: Home) -> bool:
    runs = sorted(home.runs.iterdir())
    return bool(runs) and events.first(events.read(runs[-1]), "injected") is not None


def guests(home: Home) -> list[Any]:
    """Processes that work on the lab without belonging to it: load, toolkit, reaper."""
    return [process for process in marks.find(home.path) if not process.component]


@pytest.fixture
def drill(lab: Lab, home: Home) -> Iterator[subprocess.Popen[str]]:
    """A drill whose fault is in force; whatever the test did not end is killed."""
    before = len(list(home.runs.iterdir())) if home.runs.exists() else 0
    command = [sys.executable, "-m", "failwhale", "drill", PASSING, *SHORT, "--json"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        await_true(
            lambda: home.runs.exists() and len(list(home.runs.iterdir())) > before and injected(home), 90, f"{lab.topology}: the fault"
        )
        yield process
        process.kill()


def test_readers_do_not_notice_a_dead_primary(lab: Lab, failwhale: Any, graph: list[str]) -> None:
    done = failwhale("drill", PASSING, *graph, "--json", timeout_s=330)
    result = json.loads(done.stdout)
    assert (result["verdict"], done.returncode) == ("passed", 0), (lab.topology, result["reasons"])
    assert result["load"]["valid"] is True
    assert (result["audit"]["complete"], result["audit"]["lost"], result["audit"]["duplicated"]) == (True, 0, 0)
    assert [alert["severity"] for alert in result["alerts"]["fired"]] == ["ticket"]


def test_a_killed_drill_leaves_nothing_in_force(drill: subprocess.Popen[str], home: Home) -> None:
    drill.kill()
    healthy = Control(home)
    await_true(
        lambda: not undo.pending(home) and not guests(home) and not healthy.unanswered(), LIMIT_S, "fault gone, load gone, lab healthy"
    )
    assert lease.read(home.chaos) is None


def test_an_interrupted_drill_undoes_first_and_keeps_its_record(drill: subprocess.Popen[str], home: Home) -> None:
    drill.send_signal(signal.SIGINT)
    result = json.loads(drill.communicate(timeout=60)[0])
    assert (drill.returncode, result["verdict"]) == (130, "interrupted")
    assert result["audit"]["lost"] == 0
    assert undo.pending(home) == []
    assert guests(home) == []
    assert KILLED not in Control(home).unanswered()
