"""Beside the map on the Overview: active alerts, open incidents and the latest runs, each a link. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dashboards.console.data import Listed
from dashboards.console.draw import markup, overview, units
from dashboards.console.draw.overview import Alert
from dashboards.console.lab.sight import Sight
from postmortems.incidents import LiveIncident

AS_PREDICTED, OTHERWISE, UNJUDGED = "fw-good", "fw-bad", "fw-quiet"


@dataclass(frozen=True)
class Link:
    """A line that leads somewhere; `tone` is a class of the style sheet."""

    url: str
    title: str
    note: str
    tone: str = ""


def of_run(listed: Listed) -> Link:
    """A recorded run, with its verdict beside the predicted one."""
    result = listed.result
    if result is None:
        return Link("/drills", listed.run_id, listed.problem, UNJUDGED)
    same = result.verdict == result.expected_verdict
    told = result.verdict if same else f"{result.verdict}, predicted was {result.expected_verdict}"
    began = datetime.fromisoformat(result.started_at).timestamp()
    return Link(f"/drills?run={result.run_id}", result.drill, f"{units.clock(began)} UTC · {told}", AS_PREDICTED if same else OTHERWISE)


def of_incident(incident: LiveIncident) -> Link:
    """An incident that is not over."""
    fires = sum(alert.ends_at is None for alert in incident.alerts)
    note = f"{incident.status} since {units.clock(incident.opened_at)} UTC · {fires} of {len(incident.alerts)} alerts fire"
    return Link(f"/incidents?live={incident.id}", incident.id, note)


def html(sight: Sight, *, incidents: Sequence[Link], runs: Sequence[Link]) -> str:
    """The lists as markup; alerts are None when nobody can be asked."""
    return markup.render("happening", alerts=_alerts(sight), incidents=incidents, runs=runs)


def alerts_html(sight: Sight) -> str:
    """What alerts say now, alone."""
    return markup.render("alerts", alerts=_alerts(sight))


def _alerts(sight: Sight) -> list[Alert] | None:
    return overview.alerts(sight.signals.alerts, sight.at) if sight.signals else None
