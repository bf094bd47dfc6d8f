"""Groups of processes, and limits on them, by cgroups of version 1 or 2, whichever has the controller here."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

ROOT = Path("/sys/fs/cgroup")
PERIOD_US, LEAST_QUOTA_US = 100_000, 1000


@dataclass(frozen=True)
class Controller:
    """Where groups of a controller are made, and the version of its files."""

    directory: Path
    version: int


def controller(name: str, root: Path = ROOT) -> Controller | None:
    """The controller, None when this process cannot make groups of it."""
    if os.access(root / name / "cgroup.procs", os.W_OK):
        return Controller(root / name, 1)
    unified = root / "cgroup.subtree_control"
    if unified.exists() and os.access(unified, os.W_OK) and name in unified.read_text().split():
        return Controller(root, 2)
    return None


def limit_cpu(where: Controller, group: str, percent: float, pids: Iterable[int]) -> None:
    """All the processes together get so many per cent of one core, at least the one that the kernel wants."""
    quota = max(LEAST_QUOTA_US, round(percent * PERIOD_US / 100))
    files = (
        {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(quota)} if where.version == 1 else {"cpu.max": f"{quota} {PERIOD_US}"}
    )
    gather(where, group, pids, files)


def limit_memory(where: Controller, group: str, limit_bytes: int, pids: Iterable[int]) -> None:
    """All the processes together get so much memory; whoever takes more is killed by the kernel."""
    name = "memory.limit_in_bytes" if where.version == 1 else "memory.max"
    gather(where, group, pids, {name: str(limit_bytes)})


def exists(where: Controller, group: str) -> bool:
    return (where.directory / group).is_dir()


def members(where: Controller, group: str) -> frozenset[int]:
    """Processes in the group; none when there is no such group."""
    try:
        return frozenset(map(int, (where.directory / group / "cgroup.procs").read_text().split()))
    except FileNotFoundError:
        return frozenset()


def cpu_percent(where: Controller, group: str) -> float:
    """Of one core, that the group gets."""
    name = "cpu.cfs_quota_us" if where.version == 1 else "cpu.max"
    return 100 * int((where.directory / group / name).read_text().split()[0]) / PERIOD_US


def throttled_s(where: Controller, group: str) -> float:
    """How long the group stood still because its CPU time was used up."""
    told = _told(where, group, "cpu.stat")
    return told["throttled_time"] / 1e9 if where.version == 1 else told["throttled_usec"] / 1e6


def memory_mib(where: Controller, group: str) -> float:
    """What the group has now."""
    name = "memory.usage_in_bytes" if where.version == 1 else "memory.current"
    return int((where.directory / group / name).read_text()) / (1 << 20)


def memory_kills(where: Controller, group: str) -> int:
    """Processes of the group that the kernel killed because they took more than it may have."""
    return _told(where, group, "memory.oom_control" if where.version == 1 else "memory.events")["oom_kill"]


def dissolve(where: Controller, group: str) -> None:
    """Back to the directory above; nothing when there is no such group."""
    directory = where.directory / group
    if not directory.is_dir():
        return
    for pid in members(where, group):
        with contextlib.suppress(ProcessLookupError):
            (where.directory / "cgroup.procs").write_text(str(pid))
    directory.rmdir()


def gather(where: Controller, group: str, pids: Iterable[int], limits: Mapping[str, str] = MappingProxyType({})) -> None:
    """Put the processes into a group, under its limits (file name -> value) if it has any."""
    directory = where.directory / group
    directory.mkdir(exist_ok=True)
    for name, value in limits.items():
        (directory / name).write_text(value)
    for pid in pids:
        (directory / "cgroup.procs").write_text(str(pid))


def _told(where: Controller, group: str, name: str) -> dict[str, int]:
    """A file of names and numbers, one pair a line."""
    pairs = (line.split() for line in (where.directory / group / name).read_text().splitlines())
    return {key: int(value) for key, value in pairs}
