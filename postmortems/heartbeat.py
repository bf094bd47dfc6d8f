"""The dead man's switch: the Watchdog fires always, and whoever is told of it again and again says so when it stays away.

Then Prometheus is gone, or Alertmanager, or the way between them; no other alert can tell, and so this one is a page.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from postmortems import incidentlog
from postmortems.incidents import PAGE, Alert, Book, Key
from reference_app.kit.home import Home
from reference_app.query.prometheus import AlertSpan

MISSING = "WatchdogMissing"
FINGERPRINT = "dead-mans-switch"
RUNBOOK = "docs/runbooks/Watchdog.md"
PATIENCE_S = 10.0
"""It is told every 2 s (reference_app.stack.render)."""
GRACE_S = 60.0
"""After a start: a lab that comes up has no Prometheus yet."""
SLEPT_S = 5.0
"""Who looked last so long ago could not hear either."""

State = Literal["awaited", "heard", "missing"]


class Heartbeat:
    """When it was last heard. Seconds of a monotonic clock."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._looked_at, self._ever_heard = monotonic(), False
        self._due_at = self._looked_at + GRACE_S

    def heard(self) -> None:
        """The Watchdog was told."""
        self._due_at, self._ever_heard = self._monotonic() + PATIENCE_S, True

    def state(self) -> State:
        """To be asked every second or so."""
        now = self._monotonic()
        if now - self._looked_at > SLEPT_S:
            self._due_at, self._ever_heard = max(self._due_at, now + PATIENCE_S), False
        self._looked_at = now
        if now > self._due_at:
            return "missing"
        return "heard" if self._ever_heard else "awaited"


def changed(book: Book, state: State, *, at: float, silent: Callable[[], str]) -> Iterator[Alert]:
    """What there is to say at a moment (Unix seconds): that it begins to be missing, or no longer is. `silent` names who keeps it back."""
    ongoing = next((alert for alert in book.alerts.values() if alert.fingerprint == FINGERPRINT and alert.ends_at is None), None)
    if state == "missing" and ongoing is None:
        component = silent()
        labels = {"alertname": MISSING, "severity": PAGE, "component": component, "kind": component}
        summary = f"No heartbeat for {PATIENCE_S:g} s, so no alert arrives: {component} is away, or unheard"
        yield Alert(FINGERPRINT, at, labels, summary, runbook_url=RUNBOOK)
    elif state == "heard" and ongoing is not None:
        yield msgspec.structs.replace(ongoing, ends_at=at)


def is_own(key: Key) -> bool:
    """Whether an alert is the switch's, of which Alertmanager knows nothing."""
    return key[0] == FINGERPRINT


def spans(home: Home, start: float, end: float) -> list[AlertSpan]:
    """When it was missing in [start, end], which Prometheus cannot know; oldest first."""
    found = (alert for alert in incidentlog.read(home).alerts.values() if is_own(alert.key) and start <= alert.starts_at <= end)
    return [
        AlertSpan(MISSING, {name: value for name, value in alert.labels.items() if name != "alertname"}, alert.starts_at, alert.ends_at)
        for alert in sorted(found, key=lambda alert: alert.starts_at)
    ]
