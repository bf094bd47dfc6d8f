"""CPU time of processes, and windows of two things in turn: A B B A, so that a machine that grows slower harms both alike."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from reference_app.stack.errors import StackError

LIBRARIES = ("asyncmy", "granian", "hiredis", "httptools", "msgspec", "nats-py", "redis", "starlette", "uvicorn", "uvloop")
SERVERS = {"mariadbd": "--version", "redis-server": "--version", "nats-server": "--version", "wrk": "-v"}
Window = Callable[[], float]
"""Does its work once and returns what it cost, for example CPU seconds per operation."""


@dataclass(frozen=True)
class Machine:
    """Where and when a result was made. `load_1m` is the load average before it."""

    at: str
    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    python: str
    load_1m: float
    versions: dict[str, str]


def cpu_s(pids: Iterable[int]) -> float:
    """CPU seconds that the processes have used so far, user and kernel, over all their threads, those that ended included.

    Read from the processes' CPU clocks, to the nanosecond, where /proc/PID/stat counts hundredths. Raises OSError when one is gone.
    """
    return sum(time.clock_gettime_ns((~pid << 3) | 2) for pid in pids) / 1e9


def cpu_of(pids: Collection[int], work: Callable[[], int]) -> float:
    """CPU seconds per operation of the processes, while `work` does as many operations as it returns. Raises StackError when it does none."""
    before = cpu_s(pids)
    operations = work()
    if operations <= 0:
        raise StackError("no operation of a benchmark's window succeeded, so there is no cost per operation")
    return (cpu_s(pids) - before) / operations


def in_turn(first: Window, second: Window, *, pairs: int, say: Callable[[str], None]) -> list[tuple[float, float]]:
    """What both cost in each pair of neighbouring windows, in the order A B B A; each is run once before, which is not counted."""
    first()
    second()
    found: list[tuple[float, float]] = []
    for number in range(pairs):
        if number % 2:
            later = second()
            found.append((first(), later))
        else:
            found.append((first(), second()))
        say(f"pair {number + 1} of {pairs}: {found[-1][0]:.4g} against {found[-1][1]:.4g}, ratio {found[-1][0] / found[-1][1]:.3g}")
    return found


def now() -> str:
    """The time of a result, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def machine() -> Machine:
    """This one, now."""
    information = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", information, re.MULTILINE)
    return Machine(
        at=now(),
        cpu=model.group(1) if model else platform.machine(),
        cores=os.cpu_count() or 1,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        kernel=platform.release(),
        python=platform.python_version(),
        load_1m=round(os.getloadavg()[0], 2),
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    installed = {distribution.metadata["Name"].lower(): distribution.version for distribution in metadata.distributions()}
    libraries = {name: installed[name] for name in LIBRARIES if name in installed}
    servers = {name: version for name, option in SERVERS.items() if (version := _server_version(name, option))}
    return libraries | servers


def _server_version(name: str, option: str) -> str:
    """The first number with dots that it tells of itself; empty when it is not installed."""
    binary = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if binary is None:
        return ""
    told = subprocess.run([binary, option], capture_output=True, text=True, check=False)
    number = re.search(r"\d+(\.\d+)+", told.stdout + told.stderr)
    return number.group() if number else ""
