"""Rows and words of the Postmortems page, without Streamlit. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dashboards.console.incidents import Listed
from postmortems import wording
from postmortems.model import Figure, Header, Incident

_UNKNOWN = Figure(None, "count", "")


def list_row(listed: Listed) -> dict[str, Any]:
    """A row of the list of incidents."""
    if listed.incident is None:
        return {"began": None, "title": listed.problem, "id": listed.incident_id}
    header, figures = listed.incident.header, listed.incident.figures
    return {
        "began": datetime.fromisoformat(header.started_at),
        "title": header.title,
        "status": header.status,
        "verdict": header.verdict or wording.NOT_AVAILABLE,
        "severity": header.severity.partition(":")[0],
        "to detect": listed.incident.clocks.get("ttd_s"),
        "users harmed": figures.get("users.harmed", _UNKNOWN).value,
        "posts lost": figures.get("posts.lost", _UNKNOWN).value,
        "id": header.id,
    }


def option(incident: Incident) -> str:
    """An incident in a list to choose from."""
    header = incident.header
    return f"{datetime.fromisoformat(header.started_at):%Y-%m-%d %H:%M:%S} UTC · {header.title} · {header.status}"


def severity(header: Header) -> str:
    """With its rule in words."""
    return f"severity {header.severity}" if header.severity == wording.NOT_AVAILABLE else header.severity


def headline(incident: Incident) -> dict[str, str]:
    """The figures that everybody asks for first."""
    figures = incident.figures
    return {
        "Time to detect": wording.text(Figure(incident.clocks.get("ttd_s"), "seconds", "")),
        "Time to recover": wording.text(Figure(incident.clocks.get("ttr_s"), "seconds", "")),
        "Users harmed": _of(figures.get("users.harmed"), figures.get("users.active")),
        "Posts lost": _of(figures.get("posts.lost"), figures.get("posts.acknowledged")),
        "Pages fired": wording.text(figures.get("alerts.pages", _UNKNOWN)),
    }


def figure_rows(incident: Incident) -> list[dict[str, str]]:
    """Every figure in words, and where it comes from."""
    return [{"figure": name, "value": wording.text(figure), "derived from": figure.source} for name, figure in incident.figures.items()]


def _of(part: Figure | None, whole: Figure | None) -> str:
    """`12 of 29`."""
    if part is None or part.value is None:
        return wording.NOT_AVAILABLE
    return wording.text(part) if whole is None or whole.value is None else f"{wording.text(part)} of {wording.text(whole)}"
