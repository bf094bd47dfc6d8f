"""Processes that belong to a run (load generator, chaos runner): they register here, and the reaper ends what a dead run left."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from reference_app.kit import files, lease

GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class RunProcess:
    """`started` (clock ticks since boot) tells it from a stranger that got its pid."""

    run_id: str
    pid: int
    started: int
    role: str

    @property
    def running(self) -> bool:
        return lease.process_started(self.pid) == self.started


def register(chaos_dir: Path, run_id: str, *, pid: int, role: str) -> None:
    """Note a process of the run; nothing when it has ended already."""
    started = lease.process_started(pid)
    if started is None:
        return
    writer = files.LineWriter(_path(chaos_dir))
    try:
        writer.write(RunProcess(run_id, pid, started, role))
    finally:
        writer.close()


def registered(chaos_dir: Path) -> list[RunProcess]:
    """All that registered since the file was cleared, dead ones too."""
    return [msgspec.convert(line, RunProcess) for line in files.read_lines(_path(chaos_dir))]


def clear(chaos_dir: Path) -> None:
    """Forget them: the run is over and its processes ended."""
    _path(chaos_dir).unlink(missing_ok=True)


def end(
    found: list[RunProcess], *, monotonic: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> list[str]:
    """SIGTERM, then SIGKILL after the grace. Returns the roles of those that were still running."""
    alive = [process for process in found if process.running]
    for process in alive:
        _signal(process, signal.SIGTERM)
    deadline = monotonic() + GRACE_SECONDS
    while any(process.running for process in alive) and monotonic() < deadline:
        sleep(0.05)
    for process in alive:
        if process.running:
            _signal(process, signal.SIGKILL)
    return [process.role for process in alive]


def _signal(process: RunProcess, number: signal.Signals) -> None:
    """To its whole group when it leads one, for a run's children start in sessions of their own."""
    try:
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)
    except ProcessLookupError:
        return


def _path(chaos_dir: Path) -> Path:
    return chaos_dir / "run-processes.ndjson"
