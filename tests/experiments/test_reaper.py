"""The runner dies while the fault is on: somebody else takes the fault back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chaos import events, processes, reaper, undo
from reference_app.contract.topology import Lab
from reference_app.kit import deciders, lease
from reference_app.kit.home import REPOSITORY, Home
from reference_app.stack import marks
from reference_app.stack.control import Control

pytestmark = [pytest.mark.lab, pytest.mark.breaks]

TARGET = "tweets-db-0-primary"
LIMIT_S = 15.0
RUN = "20261121T000000Z-reaper"
DRILL = f"""
import subprocess, time
from chaos import catalogue, holder, processes, toolkit
from chaos.session import Session
from reference_app.kit.home import Home
run = Session(Home.from_environment(), "{RUN}")
with holder.Holder(run.home.chaos, run.run_id):
    load = subprocess.Popen(["sleep", "300"], start_new_session=True)
    processes.register(run.home.chaos, run.run_id, pid=load.pid, role="load")
    toolkit.start(run, catalogue.load("kill-tweet-shard-no-replica-reads").path).wait()
"""


def wait_until(condition: Callable[[], bool], limit_s: float = 30.0) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < limit_s, "it did not come in time"
        time.sleep(0.05)
    return time.monotonic() - started


def start_drill() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", DRILL], cwd=REPOSITORY, start_new_session=True)


def in_force(home: Home) -> bool:
    return [event.event for event in events.read(home.runs / RUN)].count("injected") > 0


@pytest.fixture(autouse=True)
def _fresh_run(lab: Lab, home: Home) -> None:  # noqa: ARG001 - the lab runs
    events.path(home.runs / RUN).unlink(missing_ok=True)


def test_kill_9_of_the_drill_during_the_fault_leaves_a_healthy_lab_and_no_process_of_the_run(home: Home) -> None:
    control = Control(home)
    with start_drill() as drill:
        wait_until(lambda: in_force(home))
        wait_until(lambda: list(control.unanswered()) == [TARGET])
        of_the_run = processes.registered(home.chaos)
        assert {process.role for process in of_the_run} == {"load", "chaos"}
        drill.send_signal(signal.SIGKILL)
    wait_until(lambda: lease.read(home.chaos) is None, LIMIT_S)
    assert undo.pending(home) == []
    wait_until(lambda: control.unanswered() == {}, LIMIT_S)
    assert deciders.read(home.deciders_file)["replica_reads"] == deciders.ON
    assert [process.role for process in of_the_run if process.running] == []
    recorded = events.read(home.runs / RUN)
    assert events.last(recorded, "reaped") is not None
    undone = [event.fault for event in recorded if event.event == "undone"]
    assert undone == ["kill_and_hold", "set_decider"], "once each, newest first, whether the reaper or the toolkit's rollback came first"
    wait_until(lambda: reaper.running(home) is None)


@pytest.mark.verify
def test_the_fault_is_undone_with_supervisord_dead_too(home: Home, failwhale: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    with start_drill() as drill:
        wait_until(lambda: in_force(home))
        os.kill(supervisord(home), signal.SIGKILL)
        drill.send_signal(signal.SIGKILL)
    wait_until(lambda: lease.read(home.chaos) is None, LIMIT_S)
    control = Control(home)
    assert not control.supervised()
    assert control.unanswered() == {}
    repaired = failwhale("up")
    assert repaired.returncode == 0, repaired.stderr


@pytest.mark.verify
def test_ctrl_c_in_the_terminal_of_the_drill_does_not_reach_the_reaper(home: Home) -> None:
    with start_drill() as drill:
        wait_until(lambda: in_force(home))
        watcher = reaper.running(home)
        assert watcher is not None
        assert os.getsid(watcher) != os.getsid(drill.pid)
        os.killpg(drill.pid, signal.SIGINT)
    wait_until(lambda: not undo.pending(home), LIMIT_S)
    wait_until(lambda: Control(home).unanswered() == {}, LIMIT_S)


@pytest.mark.verify
def test_without_a_drill_chaos_run_ends_with_everything_undone(home: Home) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chaostoolkit", "--no-version-check", "--no-log-file", "run", "--journal-path", str(home.path / "journal.json"),
         "chaos/experiments/kill-tweet-shard.yaml"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert Control(home).unanswered() == {}
    assert undo.pending(home) == []
    assert lease.read(home.chaos) is None


def supervisord(home: Home) -> int:
    return next(
        process.pid for process in marks.find(home.path) if b"supervisor.supervisord" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    )
