"""Silences in Alertmanager: the alerts of an incident stop telling for a while. Muted is the telling, not the alert."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx

from postmortems.incidents import LiveIncident


class NotSilencedError(Exception):
    """Alertmanager did not take it; the message says why."""


def silence(url: str, incident: LiveIncident, *, since: float, seconds: float, by: str, comment: str) -> list[str]:
    """Silence each alert of the incident that still fires; the ids of the silences. Raises NotSilencedError."""
    return [_post(url, body) for body in _bodies(incident, since=since, seconds=seconds, by=by, comment=comment)]


def _bodies(incident: LiveIncident, *, since: float, seconds: float, by: str, comment: str) -> Iterator[dict[str, object]]:
    for alert in incident.alerts:
        if alert.ends_at is None:
            matchers = [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in sorted(alert.labels.items())]
            yield {
                "matchers": matchers, "startsAt": _iso(since), "endsAt": _iso(since + seconds), "createdBy": by,
                "comment": comment or f"incident {incident.id}",
            }  # fmt: skip


def _post(url: str, body: dict[str, object]) -> str:
    try:
        answer = httpx.post(f"{url}/api/v2/silences", json=body, timeout=5, verify=ssl.create_default_context(), trust_env=False)
        answer.raise_for_status()
        return str(answer.json()["silenceID"])
    except httpx.HTTPStatusError as error:
        raise NotSilencedError(f"Alertmanager at {url} refused the silence: {error.response.text.strip()}") from error
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise NotSilencedError(f"Alertmanager at {url} did not answer ({error}): is the lab up?") from error


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
