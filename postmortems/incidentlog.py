"""The file behind all incidents: events as JSON lines, appended by the receiver and by commands, read back by everybody."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from postmortems import incidents
from postmortems.incidents import Book, Event, LiveIncident
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan
from reference_app.kit import files
from reference_app.kit.home import Home

logger = logging.getLogger(__name__)
FILE = "log.ndjson"
SETTLE_S = 60.0
"""What fires so long after a drill's load is still the drill's."""


class NoLiveIncidentError(Exception):
    """No incident of that id; the message names those that are open."""


class Log:
    """A book that follows its file, to which other processes append as well."""

    def __init__(self, home: Home) -> None:
        path = home.incidents / FILE
        self._tail, self._lines = files.Tail(path), files.LineWriter(path)
        self.book = Book()

    def append(self, events: Iterable[Event]) -> None:
        """Write events and take them in. OSError when there is no room."""
        for event in events:
            self._lines.write(event)
        self.catch_up()

    def catch_up(self) -> Book:
        """The book with what others wrote meanwhile."""
        for event in _events(self._tail.read()):
            self.book.apply(event)
        return self.book

    def close(self) -> None:
        """Close the file."""
        self._lines.close()


def read(home: Home) -> Book:
    """The book as of now."""
    return Book(_events(files.read_lines(home.incidents / FILE)))


def _events(lines: Iterable[dict[str, Any]]) -> Iterator[Event]:
    """A line that another version wrote, or somebody by hand, costs itself and no page."""
    for line in lines:
        try:
            yield msgspec.convert(line, Event)
        except msgspec.ValidationError as error:
            logger.warning("a line of %s is no event and is left out: %s", FILE, error)


def find(book: Book, incident_id: str) -> LiveIncident:
    """The incident of that id, or the newest for `latest`. Raises NoLiveIncidentError."""
    by_age = sorted(book.incidents.values(), key=lambda one: one.opened_at)
    found = by_age[-1] if incident_id == "latest" and by_age else book.incidents.get(incident_id)
    if found is None:
        known = ", ".join(one.id for one in by_age[-3:]) or "none: the first page opens one"
        raise NoLiveIncidentError(f"there is no incident {incident_id!r}; the newest are {known}")
    return found


def note(home: Home, noted: incidents.Noted) -> None:
    """Append what a person did."""
    log = Log(home)
    try:
        log.append([noted])
    finally:
        log.close()


def run_at(home: Home, moment: float) -> str:
    """The drill whose load ran at that moment or had ended a minute before at most, "" when none did."""
    for path in sorted(home.runs.glob(f"*/{plans.FILE}"), reverse=True)[:3]:
        plan = _plan(path)
        if plan and plan.drill and plan.t0 <= moment <= plan.t0 + plan.duration + SETTLE_S:
            return plan.run_id
    return ""


def _plan(path: Path) -> Plan | None:
    """None for what another version wrote: alerts are kept all the same."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Plan)
    except (OSError, msgspec.DecodeError):
        return None
