"""What chaos did to a lab and when: `chaos/events.ndjson` of a run directory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from reference_app.kit import files

logger = logging.getLogger(__name__)

Name = Literal[
    "run_started", "run_vetoed", "decider_set", "prepared", "undo_written", "injected", "sham_applied", "inject_skipped", "undone", "undo_failed",
    "hypothesis", "pages_read", "guard_tripped", "halted", "lease_lapsed", "reaped", "run_finished",
]  # fmt: skip


@dataclass(frozen=True)
class Event:
    """`at` is Unix seconds; for `injected` and `undone` the moment at which it was in force."""

    at: float
    event: Name
    fault: str = ""
    components: tuple[str, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)


def path(run_dir: Path) -> Path:
    """The events file of a run directory."""
    return run_dir / "chaos" / "events.ndjson"


def write(
    run_dir: Path, event: Name, *, clock: Callable[[], float], fault: str = "", components: tuple[str, ...] = (), **detail: Any
) -> Event:
    """Append one event. Several processes may do so at once."""
    written = Event(clock(), event, fault, components, detail)
    writer = files.LineWriter(path(run_dir))
    try:
        writer.write(written)
    finally:
        writer.close()
    return written


def write_if_possible(run_dir: Path, event: Name, *, clock: Callable[[], float], **detail: Any) -> None:
    """As `write`. A disk without room for it stops nobody who ends a run or takes a fault back: that goes on untold."""
    try:
        write(run_dir, event, clock=clock, **detail)
    except OSError as error:
        logger.warning("%s could not be recorded in %s: %s", event, run_dir, error)


def read(run_dir: Path) -> tuple[Event, ...]:
    """All events in the order of their time; none when the file does not exist."""
    found = (msgspec.convert(line, Event) for line in files.read_lines(path(run_dir)))
    return tuple(sorted(found, key=lambda event: event.at))


def first(events: Iterable[Event], name: Name) -> Event | None:
    """The earliest event of that name."""
    return next((event for event in events if event.event == name), None)


def last(events: Iterable[Event], name: Name) -> Event | None:
    """The latest event of that name."""
    found = [event for event in events if event.event == name]
    return found[-1] if found else None
