"""What the machine has left: the pressure that the kernel sees, memory, and space below a directory."""

from __future__ import annotations

import shutil
from pathlib import Path

PROC = Path("/proc")
RESOURCES = ("memory", "io")
"""Of the whole machine the kernel tells no `full` for the CPU: it is 0 always."""
_MIB = 1 << 20


def stalled_percent(proc: Path = PROC) -> float | None:
    """Of the last 10 s: the time in which everything that wanted to run waited, for the resource that is waited for the longest. None without PSI."""
    known = [_full(proc / "pressure" / resource) for resource in RESOURCES]
    return max((value for value in known if value is not None), default=None)


def free_memory_mib(proc: Path = PROC) -> float | None:
    """What programs can still be given without swapping (MemAvailable)."""
    lines = (proc / "meminfo").read_text().splitlines() if (proc / "meminfo").exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("MemAvailable:")), None)


def free_disk_mib(directory: Path) -> float:
    return shutil.disk_usage(directory).free / _MIB


def _full(path: Path) -> float | None:
    """avg10 of the line `full`."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    found = (line.split()[1] for line in lines if line.startswith("full "))
    return next((float(average.removeprefix("avg10=")) for average in found), None)
