"""What a soak looks at, and how it is judged: memory that grows after warm-up, queues that are longer at the end than at the beginning."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MEMORY_MAX = 0.05
"""Growth of a process after warm-up that is none, as a share."""
NOISE_MIB = 1.0
"""What an allocator may take more or less between two looks."""
QUEUE_MAX = 10.0
"""By so much a queue may be longer at the end: what is on its way at one moment."""
FILES_MAX = 40.0
"""A burst fills pools, up to sixteen connections to each database, which then stay; what leaks a file with each request is far beyond that."""
SHARES = 3
"""What comes after warm-up is cut into so many parts; the first is compared with the last."""


@dataclass(frozen=True)
class Look:
    """Private memory of processes in MiB, lengths of queues, and open files of processes, at one moment."""

    memory: Mapping[str, float]
    queues: Mapping[str, float]
    files: Mapping[str, float]


@dataclass(frozen=True)
class Growth:
    """Of a process's memory in MiB, or of a queue, from the first part to the last."""

    name: str
    first: float
    last: float

    @property
    def by(self) -> float:
        return self.last - self.first


def memory_growth(looks: Sequence[Look]) -> list[Growth]:
    """Between the medians of the parts."""
    return [_growth(name, [look.memory[name] for look in looks if name in look.memory], statistics.median) for name in looks[0].memory]


def queue_growth(looks: Sequence[Look]) -> list[Growth]:
    """Between the shortest of the parts: what a burst brings goes again, what piles up stays."""
    return [_growth(name, [look.queues[name] for look in looks if name in look.queues], min) for name in looks[0].queues]


def files_growth(looks: Sequence[Look]) -> list[Growth]:
    """As of queues."""
    return [_growth(name, [look.files[name] for look in looks if name in look.files], min) for name in looks[0].files]


def leaks(grown: Sequence[Growth], allowed_mib: Mapping[str, float]) -> list[str]:
    """Processes that hold more than 5 % more, beyond what is allowed for the data that they keep by design."""
    return [
        f"{one.name}: {one.first:.1f} -> {one.last:.1f} MiB"
        for one in grown
        if one.by > MEMORY_MAX * one.first + NOISE_MIB + allowed_mib.get(one.name, 0.0)
    ]


def longer(grown: Sequence[Growth], *, most: float) -> list[str]:
    """What grew by more than that."""
    return [f"{one.name}: {one.first:.1f} -> {one.last:.1f}" for one in grown if one.by > most]


def private_mib(pid: int) -> float:
    """Memory that this process alone has written. PSS, of which it is a part, changes with whoever else maps the same library."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:")) / 1024


def open_files(pid: int) -> int:
    """Connections of pools among them."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _growth(name: str, values: Sequence[float], of: Callable[[Sequence[float]], float]) -> Growth:
    part = max(1, len(values) // SHARES)
    return Growth(name, of(values[:part]), of(values[-part:]))
