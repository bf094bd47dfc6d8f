"""Log lines read in place: the JSON lines of our processes below `var/log/`. Lines of third-party servers are not JSON and are passed over."""

from __future__ import annotations

import contextlib
import heapq
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec


class _Line(msgspec.Struct):
    """What `reference_app.instrumentation.logs` writes on every line; a line may carry more."""

    timestamp: datetime
    severity: str
    component: str
    message: str
    request_id: str = ""
    trace_id: str = ""


@dataclass(frozen=True)
class LogLine:
    """`at` is Unix seconds; `attributes` is whatever else the line carries."""

    at: float
    severity: str
    component: str
    message: str
    request_id: str
    trace_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """What to look for. Empty means any; the window is [start, end] in Unix seconds; `severity` is the least that counts."""

    request_id: str = ""
    trace_id: str = ""
    component: str = ""
    severity: str = "DEBUG"
    start: float = 0.0
    end: float = float("inf")

    def matches(self, line: LogLine) -> bool:
        """True for a line that is wanted."""
        return (
            self.request_id in ("", line.request_id)
            and self.trace_id in ("", line.trace_id)
            and self.component in ("", line.component)
            and _rank(line.severity) >= _rank(self.severity)
            and self.start <= line.at <= self.end
        )


def read(directory: Path, wanted: Wanted) -> Iterator[LogLine]:
    """The wanted lines of every `*.log` in the directory, and of what was rotated away and is still there, in order of time."""
    files = [_lines(path) for path in sorted([*directory.glob("*.log"), *directory.glob("*.log.[0-9]*")])]
    return (line for line in heapq.merge(*files, key=lambda line: line.at) if wanted.matches(line))


def _lines(path: Path) -> Iterator[LogLine]:
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:  # rotated away since it was listed
        for raw in file:
            if raw.startswith(b"{") and (line := _parse(raw)) is not None:
                yield line


def _parse(raw: bytes) -> LogLine | None:
    try:
        line = msgspec.json.decode(raw, type=_Line)
        attributes = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
    for name in _Line.__struct_fields__:
        attributes.pop(name, None)
    return LogLine(line.timestamp.timestamp(), line.severity, line.component, line.message, line.request_id, line.trace_id, attributes)


def _rank(severity: str) -> int:
    return logging.getLevelNamesMapping().get(severity.upper(), logging.NOTSET)
