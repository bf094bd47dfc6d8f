"""Changes that somebody made to a running lab: an append-only file beside it, read by whoever tells what happened when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from reference_app.kit import files
from reference_app.kit.home import Home

CHAOS = "chaos"
"""`by` of a change that a drill makes and takes back itself; its own events tell of it."""


@dataclass(frozen=True)
class Change:
    """`at` in Unix seconds; `by` is a person's login or a program."""

    at: float
    kind: Literal["decider", "primary", "ring", "restart", "deploy", "config"]
    subject: str
    old: str
    new: str
    by: str


def record(home: Home, change: Change) -> None:
    """Append one change."""
    lines = files.LineWriter(home.changes_file)
    try:
        lines.write(change)
    finally:
        lines.close()


def between(home: Home, start: float, end: float) -> Iterator[Change]:
    """Changes in [start, end], Unix seconds, in the order in which they were made."""
    for line in files.read_lines(home.changes_file):
        change = msgspec.convert(line, Change)
        if start <= change.at <= end:
            yield change
