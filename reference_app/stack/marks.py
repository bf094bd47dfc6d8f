"""Finds and ends the processes of a lab by the mark in their environment, whoever their parent is now.

The environment of a process is what it was started with, so an orphan of a killed supervisord, of a drill or of a test is found too.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reference_app.kit.home import MARK_VARIABLE
from reference_app.stack.program import COMPONENT_VARIABLE

_POLL_S = 0.02
_CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Marked:
    """`component` is empty for what is no part of the lab itself (a drill, a load generator). `started` is in clock ticks since boot."""

    pid: int
    parent: int
    group: int
    stopped: bool
    started: int
    component: str

    @property
    def leader(self) -> bool:
        """True for the first process of its group: the one that was started, not what it started."""
        return self.pid == self.group


def find(home: Path) -> list[Marked]:
    """All processes that carry this home, except the caller and its ancestors."""
    spared = _lineage(os.getpid())
    return [process for process in _marked(home) if process.pid not in spared]


def components(home: Path) -> dict[str, Marked]:
    """Component name -> the leader of its process group."""
    return {process.component: process for process in _marked(home) if process.component and process.leader}


def end(home: Path, *, grace_s: float, only: Callable[[Marked], bool] = lambda _: True) -> int:
    """SIGTERM, after `grace_s` SIGKILL, until none is left; returns how many there were. Paused ones are woken to obey."""
    ended: set[int] = set()
    deadline = time.monotonic() + grace_s
    while found := [process for process in find(home) if only(process)]:
        fresh = [process for process in found if process.pid not in ended]
        if time.monotonic() >= deadline:
            signal_all(found, signal.SIGKILL)
        else:
            signal_all(fresh, signal.SIGTERM)
            signal_all(found, signal.SIGCONT)
        ended.update(process.pid for process in fresh)
        time.sleep(_POLL_S)
    return len(ended)


def signal_all(processes: Iterable[Marked], number: signal.Signals) -> None:
    """Signal each process; those that are gone by now are passed over."""
    for process in processes:
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            continue


def uptime_s(process: Marked) -> float:
    """Seconds since the process was started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - process.started / _CLOCK_TICKS


def pss_mib(home: Path) -> dict[str, float]:
    """Proportional set size in MiB by component, children included."""
    sizes: dict[str, float] = {}
    for process in _marked(home):
        if process.component:
            sizes[process.component] = sizes.get(process.component, 0.0) + _pss_mib(process.pid)
    return sizes


def _pss_mib(pid: int) -> float:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (OSError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0.0)


def _marked(home: Path) -> Iterator[Marked]:
    mark = f"{MARK_VARIABLE}={home}".encode()
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        pid = int(entry.name)
        environment = _read(pid, "environ").split(b"\0")
        if mark in environment and (process := _describe(pid, environment)) is not None:
            yield process


def _describe(pid: int, environment: list[bytes]) -> Marked | None:
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    if not fields or fields[0] in b"ZX":
        return None
    prefix = f"{COMPONENT_VARIABLE}=".encode()
    component = next((line[len(prefix) :].decode() for line in environment if line.startswith(prefix)), "")
    return Marked(pid, int(fields[1]), int(fields[2]), fields[0] in b"Tt", int(fields[19]), component)


def _read(pid: int, name: str) -> bytes:
    """A file below /proc/PID; empty when the process is gone or belongs to somebody else."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (OSError, ProcessLookupError):
        return b""


def _lineage(pid: int) -> set[int]:
    """The process and its ancestors."""
    line = set()
    while pid > 0:
        line.add(pid)
        fields = _read(pid, "stat").rpartition(b")")[2].split()
        pid = int(fields[1]) if fields else 0
    return line
