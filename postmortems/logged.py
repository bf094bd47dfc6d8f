"""What services complained about, as series: lines of WARNING and worse per second by component, template and the component that a line names.

A template is a message without its numbers. The supervisor and whoever breaks things have logs of their own, which are not read: they know the answer.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from postmortems.tables import Frozen
from reference_app.contract.topology import SERVICES
from reference_app.query.prometheus import Series

LINES = "log_complaints"
HOW = "logs: lines of WARNING and worse of the services, by component, template and the component that they name, per second"
MOST_TEMPLATES = 40
"""A component that has more to say is told by its most frequent lines."""
_BAD = (b'"severity":"WARNING"', b'"severity":"ERROR"', b'"severity":"CRITICAL"')
_NUMBERS = re.compile(r"(?<![\w-])[0-9a-f]{16,}|\d+")
_LONGEST = 120


class _Line(msgspec.Struct):
    timestamp: datetime
    severity: str
    component: str
    message: str


def read(folder: Path, start: float, end: float, names: Collection[str]) -> tuple[Frozen, ...]:
    """Of [start, end] (Unix seconds); `names` are the components that a line may name."""
    counted: dict[tuple[str, str, str, str], Counter[int]] = defaultdict(Counter)
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    for line in _lines(folder, start):
        at = line.timestamp.timestamp()
        if start <= at <= end:
            about = next((name for name in longest_first if name in line.message), "")
            counted[line.component, about, line.severity, template(line.message)][int(at)] += 1
    series = tuple(
        Series({"component": who, "about": about, "severity": severity, "template": text}, [(float(s), float(n)) for s, n in sorted(its.items())])
        for (who, about, severity, text), its in _frequent(counted)
    )  # fmt: skip
    return (Frozen(LINES, HOW, series),)


def template(message: str) -> str:
    """A message without what differs from one line to the next."""
    return _NUMBERS.sub("#", message)[:_LONGEST]


def _lines(folder: Path, start: float) -> Iterator[_Line]:
    for path in sorted(path for service in SERVICES for path in folder.glob(f"{service}-*.log*")):
        with contextlib.suppress(FileNotFoundError):  # rotated away since the folder was listed
            yield from _lines_of(path, start)


def _lines_of(path: Path, start: float) -> Iterator[_Line]:
    """A file that is truncated meanwhile ends there, perhaps within a line."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mtime < start:
            return
        for raw in file:
            if any(mark in raw for mark in _BAD):
                with contextlib.suppress(msgspec.DecodeError):
                    yield msgspec.json.decode(raw, type=_Line)


def _frequent(counted: dict[tuple[str, str, str, str], Counter[int]]) -> list[tuple[tuple[str, str, str, str], Counter[int]]]:
    by_component: dict[str, list[tuple[tuple[str, str, str, str], Counter[int]]]] = defaultdict(list)
    for key, its in counted.items():
        by_component[key[0]].append((key, its))
    most = (sorted(its, key=lambda one: (-one[1].total(), one[0]))[:MOST_TEMPLATES] for its in by_component.values())
    return [one for its in most for one in its]
