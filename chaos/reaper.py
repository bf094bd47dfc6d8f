"""The dead man's switch: a process of its own session that undoes a run's faults once the run's lease lapsed or its holder died.

`python -m chaos.reaper` watches one lab. It ends when the lease was released and nothing is left to undo.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from chaos import events, processes, undo
from reference_app.kit import files, lease
from reference_app.kit.home import HOME_VARIABLE, MARK_VARIABLE, REPOSITORY, Home, NoLabError
from reference_app.stack.control import Control, NotReadyError

WATCH_SECONDS = 0.25
RETRY_SECONDS, ATTEMPTS = 1.0, 60
HEALTHY_SECONDS = 15.0
START_SECONDS, LOCK_SECONDS = 20.0, 2.0


class ReaperNotRunningError(Exception):
    """No reaper came up, so no fault may be applied."""


@dataclass(frozen=True)
class _Running:
    pid: int
    started: int


def ensure(home: Home) -> int:
    """The pid of the lab's reaper, started when there was none. The lease must be held already. Raises ReaperNotRunningError."""
    pid = running(home)
    if pid is None:
        _spawn(home)
    deadline = time.monotonic() + START_SECONDS
    while pid is None and time.monotonic() < deadline:
        time.sleep(0.05)
        pid = running(home)
    if pid is None:
        raise ReaperNotRunningError(f"no reaper within {START_SECONDS:g} s: see {home.logs / 'reaper.log'}")
    return pid


def running(home: Home) -> int | None:
    """The pid of the lab's reaper, None when there is none."""
    try:
        found = msgspec.json.decode(_pid_file(home).read_bytes(), type=_Running)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return found.pid if lease.process_started(found.pid) == found.started else None


def watch(home: Home, *, sleep: Callable[[float], None] = time.sleep) -> bool:
    """True once the lease was released and nothing is left to undo, False when an undo failed `ATTEMPTS` times."""
    attempts = 0
    while attempts < ATTEMPTS:
        held = lease.read(home.chaos)
        if held is None and not undo.pending(home):
            return True
        if lease.alive(held, now=time.time()):
            attempts = 0
            sleep(WATCH_SECONDS)
        elif not reap(home, held):
            attempts += 1
            sleep(RETRY_SECONDS)
    return False


def reap(home: Home, held: lease.Lease | None) -> bool:
    """Undo everything, end the run's processes, wait for the lab. False when an undo failed and has to be tried again."""
    began, of_the_dead = time.monotonic(), processes.registered(home.chaos)
    run_id = held.run_id if held else _latest_run(home)
    if run_id is None:
        return True
    if held:
        events.write_if_possible(home.runs / run_id, "lease_lapsed", clock=time.time, holder=held.holder_pid)
    undone, ended = undo.replay_of_the_dead(home, of_the_dead, by="reaper")
    if any(result.error for result in undone):
        return False
    unready = _wait_until_healthy(home)
    if (now_held := lease.read(home.chaos)) == held:  # else the next run holds the lab already
        processes.clear(home.chaos)
    if held is not None and now_held == held:
        lease.release(home.chaos)
    events.write_if_possible(
        home.runs / run_id, "reaped", clock=time.time, undone=[r.record.fault.kind for r in undone], ended=ended,
        unready=unready, seconds=round(time.monotonic() - began, 3),
    )  # fmt: skip
    return True


def main() -> int:
    """Watch the lab of `FAILWHALE_HOME`, unless another reaper does already."""
    home = Home.from_environment()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    home.chaos.mkdir(parents=True, exist_ok=True)
    with (home.chaos / "reaper.lock").open("w") as lock:
        if not _only_one(lock):
            return 0
        return 0 if _serve(home) else 1


def _serve(home: Home) -> bool:
    """Watch run after run. The pid file goes before the last look at the lease: a run that took it and then saw the file keeps its reaper."""
    done = True
    while done:
        files.write_json(_pid_file(home), _Running(os.getpid(), lease.process_started(os.getpid()) or 0))
        done = watch(home)
        _pid_file(home).unlink(missing_ok=True)
        if lease.read(home.chaos) is None:
            break
    return done


def _wait_until_healthy(home: Home) -> str:
    """Empty once every component answers, else who does not."""
    try:
        control = Control(home)
        control.wait_ready([component.name for component in control.lab.components], HEALTHY_SECONDS)
    except (NotReadyError, NoLabError) as error:
        return str(error)
    return ""


def _latest_run(home: Home) -> str | None:
    """Faults are left although nobody holds the lease: the newest of their runs. None when somebody else has undone them by now."""
    left = undo.pending(home)
    return left[-1].run_id if left else None


def _spawn(home: Home) -> None:
    home.logs.mkdir(parents=True, exist_ok=True)
    with (home.logs / "reaper.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "chaos.reaper"],
            cwd=REPOSITORY, start_new_session=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=os.environ | {HOME_VARIABLE: str(home.path), MARK_VARIABLE: str(home.path)},
        )  # fmt: skip
    threading.Thread(target=process.wait, name="reaper-wait", daemon=True).start()


def _only_one(lock: IO[str]) -> bool:
    """False when another reaper keeps the lock; one that is about to end is waited for."""
    deadline = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < deadline:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return True
    return False


def _pid_file(home: Home) -> Path:
    return home.chaos / "reaper.json"


if __name__ == "__main__":
    sys.exit(main())
