"""Incident directories: `var/incidents/<id>/` with incident.yaml, snapshot/, figures/ and postmortem.md."""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import yaml

from chaos import catalogue
from chaos.catalogue import Extension
from postmortems import actions, course, evidence, factors, figures, frontmatter, heartbeat, incidentlog, logged, render, tables, traced
from postmortems.evidence import Signals
from postmortems.frontmatter import FrontMatterError
from postmortems.model import Draft, Header, Incident, State
from reference_app.contract import topology
from reference_app.contract.plan import Plan
from reference_app.kit import changes, files
from reference_app.kit.changes import Change
from reference_app.kit.home import Home
from reference_app.query import slo

INCIDENT, POSTMORTEM, DRAFT, SNAPSHOT, FIGURES = "incident.yaml", "postmortem.md", "postmortem.draft.md", "snapshot", "figures"

LATEST = "latest"
TEMPLATES = ("drill", "incident", "short")


class NoIncidentError(Exception):
    """No incident of that id, or its incident.yaml cannot be read."""


def draft(
    home: Home, incident_id: str, *, prometheus: Signals | None, clock: Callable[[], float] = time.time, template: str | None = None
) -> Draft:
    """Freeze the evidence of a run or an incident, unless it is frozen already, and write its postmortem by a template of `TEMPLATES`.

    A postmortem.md that a person edited is kept; the draft then goes to postmortem.draft.md. Raises evidence.NoRunError, course.NotOverError.
    """
    incident_dir = home.incidents / incident_id
    snapshot_dir = incident_dir / SNAPSHOT
    if not (snapshot_dir / evidence.MANIFEST).exists():
        _freeze(home, incident_id, snapshot_dir, prometheus=prometheus, now=clock())
    snapshot, manifest = evidence.read(snapshot_dir), evidence.read_manifest(snapshot_dir)
    derived = figures.derive(snapshot, manifest)
    header = render.header(snapshot, derived, snapshot_sha256=evidence.sha256(snapshot_dir / evidence.MANIFEST))
    header = replace(header, template=_template(incident_dir, header, template))
    for name, chart in render.chart_files(snapshot, derived).items():
        files.write_atomic(incident_dir / FIGURES / f"{name}.vl.json", chart.encode())
    incident = Incident(header, msgspec.to_builtins(derived.clocks), derived.figures)
    text = render.postmortem(header, snapshot, derived, manifest)
    with alone(incident_dir):
        return _write(incident_dir, incident, actions.in_text(_with_reviewers(incident_dir, text), actions.read(incident_dir)))


def read(home: Home, incident_id: str) -> Incident:
    """The recorded incident of that id; NoIncidentError."""
    return read_file(home.incidents / incident_id / INCIDENT)


def read_file(path: Path) -> Incident:
    """An incident.yaml; NoIncidentError when it is absent or not one."""
    try:
        return msgspec.convert(yaml.load(path.read_text(), Loader=yaml.CSafeLoader), Incident)
    except FileNotFoundError:
        raise NoIncidentError(f"no incident at {path}: `failwhale postmortem list` names those there are") from None
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise NoIncidentError(f"{path} is not an incident: {error}") from error


def chosen(home: Home, incident_id: str) -> str:
    """The id, or that of the newest incident for `latest`; NoIncidentError when there is none."""
    if incident_id != LATEST:
        return incident_id
    if not (known := ids(home)):
        raise NoIncidentError(f"there is no incident below {home.incidents}: `failwhale drill` makes one")
    return known[-1]


def ids(home: Home) -> list[str]:
    """Ids of all incidents, oldest first."""
    return sorted(path.parent.name for path in home.incidents.glob(f"*/{INCIDENT}"))


@contextmanager
def alone(incident_dir: Path) -> Iterator[None]:
    """Nobody else writes to the postmortem meanwhile, by a command or in the console. Who is in must not enter again."""
    with files.locked(incident_dir / ".lock"):
        yield


def amend(incident_dir: Path, change: Callable[[str], str]) -> None:
    """Change postmortem.md by a command. A text that nobody edited stays one that nobody edited. Raises NoIncidentError."""
    path, incident = incident_dir / POSTMORTEM, read_file(incident_dir / INCIDENT)
    edited, text = _edited(incident_dir), change(path.read_text())
    files.write_atomic(path, text.encode())
    if not edited:
        _record(incident_dir, replace(incident, draft_sha256=hashlib.sha256(text.encode()).hexdigest()))


def set_status(incident_dir: Path, status: State) -> Incident:
    """Write the status into record and front matter. Raises NoIncidentError."""
    amend(incident_dir, lambda text: frontmatter.changed(text, "status", status))
    incident = read_file(incident_dir / INCIDENT)
    moved = replace(incident, header=replace(incident.header, status=status))
    _record(incident_dir, moved)
    return moved


def _with_reviewers(incident_dir: Path, text: str) -> str:
    """With the reviewers whom postmortem.md names already."""
    path = incident_dir / POSTMORTEM
    try:
        named = frontmatter.read(path.read_text()).get("reviewers") if path.exists() else None
    except FrontMatterError:
        return text
    return frontmatter.changed(text, "reviewers", named) if named else text


def _template(incident_dir: Path, header: Header, wanted: str | None) -> str:
    """The one that is asked for, else the one before, else what suits."""
    if wanted:
        return f"{wanted}/v1"
    return read_file(incident_dir / INCIDENT).header.template if (incident_dir / INCIDENT).exists() else header.template


def _freeze(home: Home, incident_id: str, snapshot_dir: Path, *, prometheus: Signals | None, now: float) -> None:
    run_dir = home.runs / incident_id
    reported = incidentlog.read(home).incidents.get(incident_id)
    if reported and not reported.run_id:
        plan = course.plan(reported, topology=home.lab().topology if home.lab_file.exists() else "", now=now)
    else:
        plan = evidence.read_plan(run_dir)
    evidence.freeze(
        run_dir, snapshot_dir, prometheus=prometheus, plan=plan, experiment=_experiment(plan),
        objectives=slo.read(edge=topology.has_edge(plan.topology)), changed=_changed(home, plan), now=now, diagnose=factors.of,
        reported=reported, told=lambda start, end: _told(home, start, end), silences=heartbeat.spans(home, plan.t0, now),
    )  # fmt: skip


def _told(home: Home, start: float, end: float) -> tuple[tables.Frozen, ...]:
    names = [component.name for component in home.lab().components] if home.lab_file.exists() else []
    return (*traced.read(home.traces, start, end), *logged.read(home.logs, start, end, names))


def _changed(home: Home, plan: Plan) -> list[Change]:
    """Changes by people: those that the run itself made are among its events."""
    made = changes.between(home, plan.t0, plan.t0 + plan.duration)
    return [change for change in made if change.by != changes.CHAOS]


def _experiment(plan: Plan) -> Extension | None:
    """As it was aimed in the run."""
    return catalogue.load(plan.drill).extension.aimed(plan.targets) if plan.drill in catalogue.names() else None


def _write(incident_dir: Path, incident: Incident, text: str) -> Draft:
    written, message = incident_dir / POSTMORTEM, ""
    former = read_file(incident_dir / INCIDENT) if (incident_dir / INCIDENT).exists() else None
    status = former.header.status if former else "draft"
    if status != "draft" or _edited(incident_dir):
        written = incident_dir / DRAFT
        why = f"is {status}" if status != "draft" else "was edited by a person"
        message = f"{incident_dir / POSTMORTEM} {why} and is kept; the new draft is {written}"
        if kept := _kept(written, text):
            message += f", an earlier one {kept}"
        header = replace(incident.header, status=status)
        incident = replace(incident, header=header, draft_sha256=former.draft_sha256 if former else "")
    else:
        incident = replace(incident, draft_sha256=hashlib.sha256(text.encode()).hexdigest())
    files.write_atomic(written, text.encode())
    _record(incident_dir, incident)
    return Draft(incident_dir, incident_dir / POSTMORTEM, incident_dir / SNAPSHOT, message)


def _kept(draft: Path, text: str) -> Path | None:
    """Where a draft went in whose place another text comes: somebody may have written in it."""
    if not draft.exists() or draft.read_text() == text:
        return None
    names = (draft.with_name(f"{draft.stem}.{number}{draft.suffix}") for number in itertools.count(1))
    return draft.rename(next(path for path in names if not path.exists()))


def _record(incident_dir: Path, incident: Incident) -> None:
    content = yaml.dump(msgspec.to_builtins(incident), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=140)
    files.write_atomic(incident_dir / INCIDENT, content.encode())


def _edited(incident_dir: Path) -> bool:
    """True when postmortem.md is there and is not what was last written. Without a record of that it counts as a person's."""
    path = incident_dir / POSTMORTEM
    if not path.exists():
        return False
    return not (incident_dir / INCIDENT).exists() or evidence.sha256(path) != read_file(incident_dir / INCIDENT).draft_sha256
