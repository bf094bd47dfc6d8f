"""What the machine tells about itself: disk space, for the lab and for each store, pressure, and whether its wall clock was moved."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from reference_app.contract import metrics
from reference_app.stack.readings import Reading

PRESSURE = Path("/proc/pressure")


class Host:
    """Reads the machine that holds the lab. `stores` are the data directories of components by name: a disk may be theirs alone."""

    def __init__(
        self, directory: Path, pressure: Path = PRESSURE, stores: Mapping[str, Path] | None = None,
        wall: Callable[[], float] = time.time, passed: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._directory, self._pressure, self._stores = directory, pressure, dict(stores or {})
        self._wall, self._passed = wall, passed
        self._at_start = self._ahead()

    async def read(self) -> list[Reading]:
        """What is known now; a kernel without pressure information has none."""
        step = Reading(metrics.CLOCK_STEP, (), self._ahead() - self._at_start)
        free = Reading(metrics.DISK_FREE, (), float(shutil.disk_usage(self._directory).free))
        disks = (r for name, path in self._stores.items() for r in _disk(name, path))
        return [free, step, *disks, *(r for resource in ("cpu", "memory", "io") for r in self._some(resource))]

    def _ahead(self) -> float:
        return self._wall() - self._passed()

    def _some(self, resource: str) -> list[Reading]:
        try:
            first_line = (self._pressure / resource).read_text().splitlines()[0]
        except (OSError, IndexError):
            return []
        return [Reading(metrics.PRESSURE, (resource,), avg10(first_line) / 100)]


def _disk(name: str, path: Path) -> list[Reading]:
    try:
        usage = shutil.disk_usage(path)
    except OSError:
        return []
    return [
        Reading(metrics.STORE_DISK_FREE, (name,), float(usage.free)),
        Reading(metrics.STORE_DISK_FREE_SHARE, (name,), usage.free / usage.total),
    ]


def avg10(line: str) -> float:
    """Percent of the last 10 s, from a line like `some avg10=0.12 avg60=0.05 avg300=0.00 total=123`."""
    return float(dict(part.split("=") for part in line.split()[1:])["avg10"])
