"""Who did what to a postmortem, and when: an append-only file beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from postmortems.model import State
from reference_app.kit import files

FILE = "audit-log.ndjson"


@dataclass(frozen=True)
class Changed:
    """What was written over: `event` names the kind of change, `subject` of what; `before` and `after` are the fields that differ."""

    event: str
    subject: str
    before: Mapping[str, str]
    after: Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """`at` is Unix seconds; `by` a person's login; `status` is the one afterwards; `changed` when something was written over."""

    at: float
    by: str
    what: str
    status: State
    changed: Changed | None = None


def append(incident_dir: Path, entry: Entry) -> None:
    """Add one line."""
    lines = files.LineWriter(incident_dir / FILE)
    try:
        lines.write(entry)
    finally:
        lines.close()


def read(incident_dir: Path) -> Iterator[Entry]:
    """Oldest first."""
    return (msgspec.convert(line, Entry) for line in files.read_lines(incident_dir / FILE))
