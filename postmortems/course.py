"""The course of an incident on one line of time: alerts, what people did, and what somebody changed shortly before or meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from postmortems.incidents import Act, LiveIncident
from postmortems.model import TimelineRow
from reference_app.contract.plan import Phase, Plan
from reference_app.kit.changes import Change

LEAD_S, TAIL_S = 600.0, 60.0
"""Changes so long before the first alert, and after the last, are told as well."""
SOURCE = "incident.json"
_ACTS: dict[Act, str] = {"ack": "acknowledges", "note": "notes", "silence": "silences its alerts", "close": "closes the incident"}


class NotOverError(Exception):
    """Something of the incident still fires."""


def window(incident: LiveIncident, now: float) -> tuple[float, float]:
    """Unix seconds within which things belong to it."""
    return incident.began_at - LEAD_S, min(now, (incident.resolved_at or now) + TAIL_S)


def plan(incident: LiveIncident, *, topology: str, now: float) -> Plan:
    """What its evidence is frozen by: ten minutes before the first alert, and from there to the end of the last. Raises NotOverError."""
    if incident.resolved_at is None and incident.status != "closed":
        raise NotOverError(
            f"incident {incident.id} is {incident.status}: evidence is frozen once, so wait until its alerts have ended, or close it"
        )
    since = incident.began_at - LEAD_S
    length = round((incident.resolved_at or now) - since, 3)
    phases = (Phase("baseline", 0.0, LEAD_S), Phase("incident", LEAD_S, max(length, LEAD_S)))
    return Plan(incident.id, "", 0, topology, "", since, phases, inject=False, inject_at=0.0, undo_at=0.0, expected_verdict="")


def rows(incident: LiveIncident, changes: Iterable[Change], *, changes_source: str = "changes.ndjson") -> tuple[TimelineRow, ...]:
    """All of it in the order of time."""
    found = [*_alerts(incident), *people(incident)]
    found += (
        TimelineRow(c.at, "change", f"{c.by} sets the {c.kind} `{c.subject}` from {c.old} to {c.new}", changes_source) for c in changes
    )
    return tuple(sorted(found, key=lambda row: row.at))


def people(incident: LiveIncident) -> Iterator[TimelineRow]:
    """What people did."""
    for note in incident.notes:
        yield TimelineRow(note.at, "response", f"{note.by} {_ACTS[note.act]}{': ' if note.text else ''}{note.text}", SOURCE)


def _alerts(incident: LiveIncident) -> Iterator[TimelineRow]:
    for alert in incident.alerts:
        told = f"`{alert.name}` for `{alert.subject}` ({alert.severity})"
        yield TimelineRow(alert.starts_at, "alert", f"{told} fires", SOURCE)
        if alert.ends_at is not None:
            yield TimelineRow(alert.ends_at, "alert", f"{told} resolves", SOURCE)
