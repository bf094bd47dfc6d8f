"""A drill that must not go on: a guard trips, or somebody halts chaos. Its fault is gone within 10 s, and its record says why."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos import events, halt, undo
from chaos.events import Event
from loadgen import history
from reference_app.contract import ids
from reference_app.contract.topology import Lab
from reference_app.kit import lease
from reference_app.kit.home import REPOSITORY, Home
from reference_app.stack import marks
from tests.conftest import Failwhale
from tests.stack.conftest import Sql
from tests.waiting import await_true

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.verify, pytest.mark.timeout(400)]

LENGTHS = {"warmup": 3, "baseline": 15, "ramp": 1, "before": 5, "fault": 40, "decay": 2}
LIMIT_S = 10.0


class Drilling:
    """A drill under way in a process of its own."""

    def __init__(self, home: Home, name: str) -> None:
        self._home, self._former = home, set(home.runs.iterdir()) if home.runs.exists() else set()
        lengths = [text for phase, seconds in LENGTHS.items() for text in ("--phase", f"{phase}={seconds}")]
        command = [sys.executable, "-m", "failwhale", "drill", name, *lengths, "--json"]
        self.process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def await_fault(self) -> None:
        await_true(lambda: self._home.runs.exists() and bool(set(self._home.runs.iterdir()) - self._former), 120, "its run directory")
        await_true(lambda: self.first("injected") is not None, 60, "its fault")

    @property
    def run_dir(self) -> Path:
        (begun,) = set(self._home.runs.iterdir()) - self._former
        return begun

    def first(self, name: events.Name) -> Event | None:
        return events.first(events.read(self.run_dir), name)

    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.process.communicate(timeout=90)[0])
        return found

    def acknowledged(self) -> list[int]:
        return [int(o.tweet_id) for o in history.read(self.run_dir / history.FILE) if o.acknowledged]


@pytest.fixture
def drilling(lab: Lab, home: Home) -> Iterator[Drilling]:  # noqa: ARG001 - the lab runs
    """Readers do not notice its fault: whatever ends it early is planted by the test."""
    under_way = Drilling(home, "kill-tweet-shard")
    try:
        under_way.await_fault()
        yield under_way
    finally:
        under_way.process.kill()
        under_way.process.communicate()
        halt.release(home.chaos)


def in_force(home: Home) -> bool:
    return bool(undo.pending(home)) or any("locust" in cmdline(process.pid) for process in marks.find(home.path))


def cmdline(pid: int) -> str:
    """Empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def test_acknowledged_posts_that_vanish_end_the_drill(drilling: Drilling, lab: Lab, home: Home) -> None:
    await_true(lambda: len([i for i in drilling.acknowledged() if ids.shard_of(i) == 1]) > 5, 30, "posts on the healthy shard")
    Sql().rows(lab.component("tweets-db-1-primary"), "DELETE FROM failwhale.tweets WHERE id >= %s", min(drilling.acknowledged()))
    took = await_true(lambda: drilling.first("guard_tripped") is not None, LIMIT_S, "the guard")
    await_true(lambda: not in_force(home), LIMIT_S, "fault and load gone")
    trip, undone = drilling.first("guard_tripped"), drilling.first("undone")
    assert trip is not None
    assert undone is not None
    assert undone.at - trip.at < LIMIT_S, took
    result = drilling.result()
    assert (result["verdict"], drilling.process.returncode) == ("interrupted", 130)
    assert "lost_writes" in result["reasons"][0]
    assert "(limit 0)" in result["reasons"][0]


def test_a_toolkit_that_is_killed_under_a_drill_does_not_keep_its_fault_in_force(drilling: Drilling, home: Home) -> None:
    (toolkit,) = [process for process in marks.find(home.path) if "chaostoolkit" in cmdline(process.pid)]
    marks.signal_all([toolkit], signal.SIGKILL)
    await_true(lambda: not in_force(home), LIMIT_S, "fault and load gone")
    assert "runner_gone" in drilling.result()["reasons"][0]


def test_a_halt_during_a_drill_ends_fault_and_load(drilling: Drilling, home: Home, failwhale: Failwhale) -> None:
    began = time.monotonic()
    halted = failwhale("chaos", "halt", "a real incident")
    assert halted.returncode == 0, halted.stderr
    assert not undo.pending(home)
    await_true(lambda: not in_force(home), LIMIT_S - (time.monotonic() - began), "fault and load gone")
    result = drilling.result()
    assert result["verdict"] == "interrupted"
    assert any("a real incident" in reason for reason in result["reasons"])
    assert lease.read(home.chaos) is None
    refused = failwhale("drill", "kill-tweet-shard")
    assert refused.returncode == 2
    assert "a real incident" in refused.stderr
    assert failwhale("chaos", "resume").returncode == 0


def test_a_halt_ends_a_run_without_load_too(lab: Lab, home: Home, failwhale: Failwhale) -> None:  # noqa: ARG001 - the lab runs
    former = set(home.runs.iterdir()) if home.runs.exists() else set()
    with subprocess.Popen([sys.executable, "-m", "failwhale", "chaos", "run", "kill-tweet-shard"], cwd=REPOSITORY) as run:
        await_true(lambda: bool(undo.pending(home)), 60, "its fault")
        failwhale("chaos", "halt", "a real incident")
        assert undo.pending(home) == []
        assert run.wait(60) == 130
    (run_dir,) = set(home.runs.iterdir()) - former
    assert events.first(events.read(run_dir), "halted") is not None
    failwhale("chaos", "resume")
