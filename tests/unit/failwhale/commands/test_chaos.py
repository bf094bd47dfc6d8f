"""What `failwhale chaos run` says of what happened."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from chaos import catalogue, events, host
from chaos.session import Session
from chaos.watch import Watch
from failwhale.commands import chaos
from reference_app.kit.home import Home


def test_each_event_is_told_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = Session(Home(tmp_path), "run-1")
    events.write(here.run_dir, "injected", clock=time.time, fault="pause", components=("graph-0", "users-0"))
    events.write(here.run_dir, "run_vetoed", clock=time.time, reason="chaos is halted")
    chaos._report(here, as_json=False)
    assert [line.partition(" ")[2] for line in capsys.readouterr().err.splitlines()] == [
        "injected pause graph-0, users-0",
        "run_vetoed chaos is halted",
    ]


def test_a_machine_in_need_ends_a_fault_by_hand_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(host, "free_memory_mib", lambda: 3.0)
    here, child = Session(Home(tmp_path), "run-1"), subprocess.Popen(["sleep", "30"])
    guarding = Watch(here, catalogue.load("kill-edge").extension, runner_gone=lambda: False, period_s=0.005)
    guarding.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            chaos._await(child, guarding)
    finally:
        guarding.stop()
        child.kill()
        child.wait()
    assert "the guard host_pressure ends the run: 3 MiB of memory are left" in capsys.readouterr().err
