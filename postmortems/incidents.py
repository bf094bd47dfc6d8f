"""Incidents as they happen: symptoms open them, causes attach, people acknowledge and note. Pure: events in, events out.

What is written down are the events of one append-only file; an incident is what they add up to. A symptom is an alert of severity `page`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

import msgspec

from postmortems import kinship

logger = logging.getLogger(__name__)
PAGE, SILENT = "page", "none"
REFIRE_S = 60.0
"""An incident whose alerts have all resolved takes another one for so long; later it is a new one."""
LOOKBACK_S = 300.0
"""Causes tell of themselves before users are harmed: a ticket that is as old still belongs to the symptom."""

Act = Literal["ack", "note", "silence", "close"]
Status = Literal["open", "acknowledged", "resolved", "closed"]
Key = tuple[str, float]


class Alert(msgspec.Struct, frozen=True):
    """One firing of an alert, known by fingerprint and start; times are Unix seconds, `ends_at` is None while it fires."""

    fingerprint: str
    starts_at: float
    labels: dict[str, str]
    summary: str = ""
    ends_at: float | None = None
    runbook_url: str = ""

    @property
    def key(self) -> Key:
        return self.fingerprint, self.starts_at

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")

    @property
    def severity(self) -> str:
        return self.labels.get("severity", SILENT)

    @property
    def subject(self) -> str:
        """What it is about: its objective, else its component, else its name."""
        return self.labels.get("slo") or self.labels.get("component") or self.name


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """`run_id` is the drill that is behind it, empty when none is."""

    at: float
    incident: str
    run_id: str = ""


class Fired(msgspec.Struct, frozen=True, tag="fired"):
    """`incident` is empty for a cause that no symptom belongs to yet."""

    at: float
    incident: str
    alert: Alert


class Attached(msgspec.Struct, frozen=True, tag="attached"):
    """A cause found its symptom."""

    at: float
    incident: str
    fingerprint: str
    starts_at: float

    @property
    def key(self) -> Key:
        return self.fingerprint, self.starts_at


class Resolved(msgspec.Struct, frozen=True, tag="resolved"):
    """An alert ended."""

    at: float
    fingerprint: str
    starts_at: float
    ended_at: float

    @property
    def key(self) -> Key:
        return self.fingerprint, self.starts_at


class Noted(msgspec.Struct, frozen=True, tag="noted"):
    """What a person did; `by` is a login."""

    at: float
    incident: str
    act: Act
    by: str
    text: str = ""


Event = Opened | Fired | Attached | Resolved | Noted


@dataclass(frozen=True)
class LiveIncident:
    """What the events add up to. Alerts are in the order in which they started."""

    id: str
    opened_at: float
    run_id: str = ""
    alerts: tuple[Alert, ...] = ()
    notes: tuple[Noted, ...] = ()

    @property
    def status(self) -> Status:
        acts = {note.act for note in self.notes}
        if "close" in acts:
            return "closed"
        if self.alerts and self.resolved_at is not None:
            return "resolved"
        return "acknowledged" if "ack" in acts else "open"

    @property
    def began_at(self) -> float:
        """When its first alert started."""
        return min((alert.starts_at for alert in self.alerts), default=self.opened_at)

    @property
    def acknowledged_at(self) -> float | None:
        return next((note.at for note in self.notes if note.act == "ack"), None)

    @property
    def resolved_at(self) -> float | None:
        """When its last alert ended; None while one fires."""
        ends = [alert.ends_at for alert in self.alerts]
        return max((end for end in ends if end is not None), default=None) if None not in ends else None

    def takes(self, at: float) -> bool:
        """True while another alert is one of it."""
        return self.status != "closed" and (self.resolved_at is None or at - self.resolved_at <= REFIRE_S)


class Book:
    """All incidents and all alerts without one, as the events so far tell."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.incidents: dict[str, LiveIncident] = {}
        self.alerts: dict[Key, Alert] = {}
        self._of: dict[Key, str] = {}
        for event in events:
            self.apply(event)

    @property
    def waiting(self) -> list[Alert]:
        """Causes without a symptom."""
        return [alert for key, alert in self.alerts.items() if not self._of[key]]

    def incident_of(self, key: Key) -> str:
        """Id of the incident that an alert belongs to, empty for none."""
        return self._of[key]

    def apply(self, event: Event) -> None:
        """Take one event in. What is about an alert or an incident of which the line was lost costs itself and no page."""
        match event:
            case Opened():
                self.incidents.setdefault(event.incident, LiveIncident(event.incident, event.at, event.run_id))
            case Fired() if not event.incident or event.incident in self.incidents:
                self._put(event.alert, event.incident)
            case Attached() if event.key in self.alerts and event.incident in self.incidents:
                self._put(self.alerts[event.key], event.incident)
            case Resolved() if event.key in self.alerts:
                self._put(msgspec.structs.replace(self.alerts[event.key], ends_at=event.ended_at), self._of[event.key])
            case Noted() if event.incident in self.incidents:
                known = self.incidents[event.incident]
                self.incidents[known.id] = replace(known, notes=(*known.notes, event))
            case _:
                logger.warning("an event about what is not known is left out: %s", event)

    def _put(self, alert: Alert, incident: str) -> None:
        self.alerts[alert.key], self._of[alert.key] = alert, incident
        if incident:
            known = self.incidents[incident]
            others = [other for other in known.alerts if other.key != alert.key]
            self.incidents[incident] = replace(known, alerts=tuple(sorted([*others, alert], key=lambda one: one.starts_at)))


def decide(book: Book, alert: Alert, *, at: float, run_at: Callable[[float], str]) -> Iterator[Event]:
    """What a notification about one alert adds. `run_at` names the drill that ran at a moment, or "". The same notification twice adds nothing."""
    if alert.severity == SILENT:
        return
    known = book.alerts.get(alert.key)
    if known is None:
        yield from _earlier_ends(book, alert, at)
        yield from _new(book, alert, at, run_at(alert.starts_at))
    elif _fires_still(book, known, alert):
        yield Fired(at, book.incident_of(alert.key), alert)
    if alert.ends_at is not None and (known is None or known.ends_at is None):
        yield Resolved(at, *alert.key, alert.ends_at)


def _fires_still(book: Book, known: Alert, alert: Alert) -> bool:
    """An Alertmanager that was restarted does not have an alert until it is told anew, and meanwhile it was taken for ended."""
    firing = {other.fingerprint for other in book.alerts.values() if other.ends_at is None}
    return alert.ends_at is None and known.ends_at is not None and alert.fingerprint not in firing


def _earlier_ends(book: Book, alert: Alert, at: float) -> Iterator[Event]:
    """A Prometheus that was restarted gives an alert that still fires another start."""
    for other in list(book.alerts.values()):
        if other.fingerprint == alert.fingerprint and other.ends_at is None and other.starts_at < alert.starts_at:
            yield Resolved(at, *other.key, alert.starts_at)


def _new(book: Book, alert: Alert, at: float, run_id: str) -> Iterator[Event]:
    fired = msgspec.structs.replace(alert, ends_at=None)
    incident = run_id or _open_for(book, alert)
    if run_id and run_id not in book.incidents:
        yield Opened(at, run_id, run_id)
    elif not incident and alert.severity == PAGE:
        incident = _named(alert)
        yield Opened(at, incident)
        for cause in book.waiting:
            if _current(cause, alert.starts_at) and kinship.related(cause.labels, alert.labels):
                yield Attached(at, incident, *cause.key)
    yield Fired(at, incident, fired)


def _open_for(book: Book, alert: Alert) -> str:
    """The newest incident that is near in time and along the topology, "" when there is none."""
    near = (
        incident.id
        for incident in sorted(book.incidents.values(), key=lambda one: one.opened_at, reverse=True)
        if incident.takes(alert.starts_at) and any(kinship.related(other.labels, alert.labels) for other in incident.alerts)
    )
    return next(near, "")


def _current(cause: Alert, at: float) -> bool:
    return cause.ends_at is None or at - cause.ends_at <= LOOKBACK_S


def _named(alert: Alert) -> str:
    return f"{datetime.fromtimestamp(alert.starts_at, UTC):%Y%m%dT%H%M%SZ}-{alert.subject}"
