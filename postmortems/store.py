"""Incident directories: `var/incidents/<id>/` with incident.yaml, snapshot/, figures/ and postmortem.md."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import yaml

from chaos import catalogue
from chaos.catalogue import Extension
from postmortems import evidence, figures, render
from postmortems.evidence import Signals
from postmortems.model import Draft, Incident
from reference_app.contract import topology
from reference_app.contract.plan import Plan
from reference_app.kit import changes, files
from reference_app.kit.changes import Change
from reference_app.kit.home import Home
from reference_app.query import slo

INCIDENT, POSTMORTEM, DRAFT, SNAPSHOT, FIGURES = "incident.yaml", "postmortem.md", "postmortem.draft.md", "snapshot", "figures"


class NoIncidentError(Exception):
    """No incident of that id, or its incident.yaml cannot be read."""


def draft(home: Home, run_id: str, *, prometheus: Signals | None, clock: Callable[[], float] = time.time) -> Draft:
    """Freeze the evidence of a run, unless it is frozen already, and write its postmortem.

    A postmortem.md that a person edited is kept; the draft then goes to postmortem.draft.md. Raises evidence.NoRunError.
    """
    incident_dir = home.incidents / run_id
    snapshot_dir = incident_dir / SNAPSHOT
    if not (snapshot_dir / evidence.MANIFEST).exists():
        _freeze(home, run_id, snapshot_dir, prometheus=prometheus, now=clock())
    snapshot, manifest = evidence.read(snapshot_dir), evidence.read_manifest(snapshot_dir)
    derived = figures.derive(snapshot, manifest)
    header = render.header(snapshot, derived, snapshot_sha256=evidence.sha256(snapshot_dir / evidence.MANIFEST))
    for name, chart in render.chart_files(snapshot, derived).items():
        files.write_atomic(incident_dir / FIGURES / f"{name}.vl.json", chart.encode())
    incident = Incident(header, msgspec.to_builtins(derived.clocks), derived.figures)
    return _write(incident_dir, incident, render.postmortem(header, snapshot, derived, manifest))


def read(home: Home, incident_id: str) -> Incident:
    """The recorded incident of that id; NoIncidentError."""
    return read_file(home.incidents / incident_id / INCIDENT)


def read_file(path: Path) -> Incident:
    """An incident.yaml; NoIncidentError when it is absent or not one."""
    try:
        return msgspec.convert(yaml.safe_load(path.read_text()), Incident)
    except FileNotFoundError:
        raise NoIncidentError(f"no incident at {path}: `failwhale postmortem list` names those there are") from None
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise NoIncidentError(f"{path} is not an incident: {error}") from error


def ids(home: Home) -> list[str]:
    """Ids of all incidents, oldest first."""
    return sorted(path.parent.name for path in home.incidents.glob(f"*/{INCIDENT}"))


def _freeze(home: Home, run_id: str, snapshot_dir: Path, *, prometheus: Signals | None, now: float) -> None:
    run_dir = home.runs / run_id
    plan = evidence.read_plan(run_dir)
    evidence.freeze(
        run_dir, snapshot_dir, prometheus=prometheus, plan=plan, experiment=_experiment(plan),
        objectives=slo.read(edge=topology.has_edge(plan.topology)), changed=_changed(home, plan), now=now,
    )  # fmt: skip


def _changed(home: Home, plan: Plan) -> list[Change]:
    """Changes by people: those that the run itself made are among its events."""
    made = changes.between(home, plan.t0, plan.t0 + plan.duration)
    return [change for change in made if change.by != changes.CHAOS]


def _experiment(plan: Plan) -> Extension | None:
    """As it was aimed in the run."""
    return catalogue.load(plan.drill).extension.aimed(plan.targets) if plan.drill in catalogue.names() else None


def _write(incident_dir: Path, incident: Incident, text: str) -> Draft:
    written, message = incident_dir / POSTMORTEM, ""
    if _edited(incident_dir):
        written = incident_dir / DRAFT
        message = f"{incident_dir / POSTMORTEM} was edited by a person and is kept; the new draft is {written}"
        incident = replace(incident, draft_sha256=read_file(incident_dir / INCIDENT).draft_sha256)
    else:
        incident = replace(incident, draft_sha256=hashlib.sha256(text.encode()).hexdigest())
    files.write_atomic(written, text.encode())
    content = yaml.safe_dump(msgspec.to_builtins(incident), sort_keys=False, allow_unicode=True, width=140)
    files.write_atomic(incident_dir / INCIDENT, content.encode())
    return Draft(incident_dir, incident_dir / POSTMORTEM, incident_dir / SNAPSHOT, message)


def _edited(incident_dir: Path) -> bool:
    """True when postmortem.md is there and is not what was last written. Without a record of that it counts as a person's."""
    path = incident_dir / POSTMORTEM
    if not path.exists():
        return False
    return not (incident_dir / INCIDENT).exists() or evidence.sha256(path) != read_file(incident_dir / INCIDENT).draft_sha256
