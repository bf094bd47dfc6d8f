"""Incidents as the Postmortems page shows them: records, texts, charts, and what a check finds. What cannot be read says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from postmortems import frontmatter, store, wording
from postmortems.charts import NAMES
from postmortems.model import Incident
from postmortems.store import NoIncidentError
from reference_app.kit.home import Home

_FILE_LINK = re.compile(r"\[([^]]+)]\(figures/[^)]*\)")


@dataclass(frozen=True)
class Listed:
    """An incident directory. `problem` says why there is no record."""

    incident_id: str
    incident: Incident | None
    problem: str = ""


@dataclass(frozen=True)
class Opened:
    """An incident with its text. `markdown` is the file as it is, `readable` is without front matter and marks; None when there is no file."""

    incident: Incident
    path: Path
    markdown: str | None
    readable: str | None
    charts: dict[str, dict[str, Any]]


def listed(home: Home) -> list[Listed]:
    """Every incident, newest first."""
    return [_listed(home, incident_id) for incident_id in reversed(store.ids(home))]


def opened(home: Home, incident: Incident) -> Opened:
    """One incident in full."""
    directory = home.incidents / incident.header.id
    path = directory / store.POSTMORTEM
    text = path.read_text() if path.exists() else None
    return Opened(incident, path, text, None if text is None else readable(text), dict(_charts(directory / store.FIGURES)))


def checked(home: Home, incident_id: str) -> list[str]:
    """What is untrue or cannot be verified, in sentences; none when every number is what the snapshot gives."""
    from postmortems import check  # noqa: PLC0415 - reads Parquet, which takes its time to load

    try:
        return check.findings(home.incidents / incident_id)
    except NoIncidentError as error:
        return [str(error)]


def readable(markdown: str) -> str:
    """Without front matter, marks and links to files: a page of the console has none beside it."""
    return _FILE_LINK.sub(r"\1", wording.unmarked(frontmatter.body(markdown)))


def _listed(home: Home, incident_id: str) -> Listed:
    try:
        return Listed(incident_id, store.read(home, incident_id))
    except NoIncidentError as error:
        return Listed(incident_id, None, str(error))


def _charts(directory: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for name in NAMES:
        try:
            yield name, msgspec.json.decode((directory / f"{name}.vl.json").read_bytes(), type=dict[str, Any])
        except (FileNotFoundError, msgspec.DecodeError):
            continue
