"""Incidents as they happen: which are not over, their course, and what people do about them, written by `postmortems.incidentlog`."""

from __future__ import annotations

import time

from postmortems import course, incidentlog, silencing, store
from postmortems.incidents import Act, LiveIncident, Noted
from postmortems.model import TimelineRow
from postmortems.silencing import NotSilencedError
from reference_app.kit import changes
from reference_app.kit.home import Home, NoLabError

OVER = ("resolved", "closed")
SILENCE_S = 1800.0


def known(home: Home) -> list[LiveIncident]:
    """All, the newest first."""
    return sorted(incidentlog.read(home).incidents.values(), key=lambda one: -one.opened_at)


def unresolved(home: Home) -> list[LiveIncident]:
    """Those that are not over, the newest first."""
    return [incident for incident in known(home) if incident.status not in OVER]


def drafted(home: Home, incident_id: str) -> bool:
    """Whether its evidence is frozen and its postmortem drafted."""
    return (home.incidents / incident_id / store.INCIDENT).exists()


def option(incident: LiveIncident) -> str:
    """An incident in a list to choose from."""
    return f"{incident.id} · {incident.status} · {len(incident.alerts)} alerts"


def rows(home: Home, incident: LiveIncident) -> tuple[TimelineRow, ...]:
    """Alerts, people and changes on one line of time."""
    return course.rows(incident, changes.between(home, *course.window(incident, time.time())))


def act(home: Home, incident: LiveIncident, what: Act, *, by: str, text: str = "") -> None:
    """Write down what a person did."""
    incidentlog.note(home, Noted(time.time(), incident.id, what, by, text))


def silence(home: Home, incident: LiveIncident, *, by: str) -> str:
    """Silence what of it still fires, for half an hour; what went wrong in a sentence, else nothing."""
    try:
        done = silencing.silence(
            home.lab().alertmanager_url, incident, since=time.time(), seconds=SILENCE_S, by=by, comment="from the console"
        )
    except (NotSilencedError, NoLabError) as error:
        return str(error)
    if not done:
        return "Nothing of it fires: there is nothing to silence."
    act(home, incident, "silence", by=by, text=f"{SILENCE_S / 60:g} min, {len(done)} alerts")
    return ""
