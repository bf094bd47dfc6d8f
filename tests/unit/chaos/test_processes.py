from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from chaos import processes
from chaos.processes import RunProcess

IGNORES_SIGTERM = "import signal,sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); signal.pause()"


def test_registered_processes_are_ended_by_kill_when_they_ignore_the_polite_signal(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", IGNORES_SIGTERM], stdout=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdout is not None
        child.stdout.readline()
        processes.register(tmp_path, "run-1", pid=child.pid, role="load")
        now = iter((0.0, 1.0, 3.0))
        assert processes.end(processes.registered(tmp_path), monotonic=lambda: next(now), sleep=lambda _: None) == ["load"]
        assert child.wait() == -signal.SIGKILL
    assert processes.end(processes.registered(tmp_path)) == []


def test_a_stranger_that_got_the_pid_is_left_alone() -> None:
    assert processes.end([RunProcess("run-1", os.getpid(), 1, "load")]) == []


def test_a_dead_process_is_not_registered(tmp_path: Path) -> None:
    processes.register(tmp_path, "run-1", pid=2**22 + 1, role="load")
    assert processes.registered(tmp_path) == []


def test_clearing_forgets_all(tmp_path: Path) -> None:
    processes.register(tmp_path, "run-1", pid=os.getpid(), role="load")
    assert len(processes.registered(tmp_path)) == 1
    processes.clear(tmp_path)
    assert processes.registered(tmp_path) == []
