"""An incident as data: who and when (header), how long (clocks), how much (figures). What is not known is None, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

SCHEMA = "failwhale/incident/v1"
TEMPLATE = "drill/v1"

State = Literal["draft", "in-review", "published", "closed"]
Unit = Literal["count", "seconds", "milliseconds", "share", "time", "text", "hash"]
Value = float | int | str | None


@dataclass(frozen=True)
class Figure:
    """One number of a postmortem. `source` names the file of the snapshot, and the query where there is one, that it is derived from.

    A `share` is 0 to 1 and is written as percent; a `time` is Unix seconds and is written as UTC time of day; a `hash` is written as code.
    """

    value: Value
    unit: Unit
    source: str


@dataclass(frozen=True)
class Header:
    """What identifies the incident. `severity` carries its rule in words; times are ISO 8601 in UTC."""

    id: str
    title: str
    drill: str
    run_id: str
    topology: str
    preset: str
    seed: int
    severity: str
    verdict: str | None
    expected_verdict: str
    started_at: str
    ended_at: str
    snapshot_sha256: str
    template: str = TEMPLATE
    status: State = "draft"
    real_incident: bool = False


@dataclass(frozen=True)
class Incident:
    """The content of `incident.yaml`. `draft_sha256` is the hash of postmortem.md as the machine last wrote it."""

    header: Header
    clocks: Mapping[str, float | None]
    figures: Mapping[str, Figure]
    draft_sha256: str = ""
    schema: str = SCHEMA


@dataclass(frozen=True)
class FrozenFile:
    """A file of the snapshot. `rows` is None for what is not a table."""

    sha256: str
    size: int
    rows: int | None = None


@dataclass(frozen=True)
class Manifest:
    """The content of `manifest.json`. `missing` says in sentences what could not be frozen, `window` is in Unix seconds."""

    run_id: str
    frozen_at: float
    window: tuple[float, float]
    files: Mapping[str, FrozenFile]
    queries: Mapping[str, str]
    missing: tuple[str, ...] = ()
    schema: str = "failwhale/snapshot/v1"


@dataclass(frozen=True)
class Draft:
    """Where a drafted incident lies. `message` says so when a person's text was kept and the draft was written beside it."""

    incident_dir: Path
    postmortem_path: Path
    snapshot_dir: Path
    message: str = ""


@dataclass(frozen=True)
class TimelineRow:
    """`at` is Unix seconds, `kind` what sort of event it is, `source` the snapshot file that says so."""

    at: float
    kind: Literal["load", "change", "chaos", "alert", "recovery", "response"]
    text: str
    source: str


@dataclass(frozen=True)
class Factor:
    """A component, how strongly it is suspected, and the evidence for and against it in words."""

    component: str
    score: float
    reasons_for: tuple[str, ...]
    reasons_against: tuple[str, ...]


@dataclass(frozen=True)
class Factors:
    """What diagnosis said, the most suspected first. `why_not` says why it said nothing."""

    ranked: tuple[Factor, ...] = ()
    no_cause: bool = False
    why_not: str = ""


@dataclass(frozen=True)
class Outcome:
    """The parts of a run's result that a postmortem quotes."""

    verdict: str | None = None
    reasons: tuple[str, ...] = field(default=())
