"""Did an action help? A re-run of its drill after it, held against the run before it, figure by figure."""

from __future__ import annotations

from pathlib import Path

import msgspec

from postmortems import evidence, store, wording
from postmortems.actions import Action, ActionError, Change, Rerun
from postmortems.model import Incident
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan

CONCLUSIVE = ("passed", "deviated")
"""Verdicts of runs that show something."""
COMPARED = {
    "verdict": "verdict",
    "requests.fault.total": "requests during the fault",
    "requests.fault.failed": "failed during the fault",
    "requests.fault.partial": "incomplete pages during the fault",
    "posts.lost": "acknowledged posts lost",
    "users.harmed": "users harmed",
    "alerts.pages": "pages that fired",
    "clock.ttd_s": "time to detect",
    "clock.time_to_absorb_s": "time to absorb",
    "clock.ttr_s": "time to recover",
}
"""Figure -> its name in the table."""


def of(action: Action, *, incidents: Path, incident_id: str, run_id: str) -> Rerun:
    """The re-run of an action's drill beside the run before it; `incidents` is where the drafts of all runs lie. Raises ActionError."""
    after, plan = _recorded(incidents, run_id)
    _accepted(action, after, plan)
    before = _before(action, incidents, incident_id)
    return Rerun(run_id, before.header.id if before else "", tuple(_changes(before, after)))


def _accepted(action: Action, after: Incident, plan: Plan) -> None:
    run_id = plan.run_id
    if not action.drill:
        raise ActionError(f"action {action.id} names no drill that could show it: write one into actions.yaml")
    if plan.drill != action.drill:
        raise ActionError(f"{run_id} is a run of {plan.drill}, and action {action.id} is shown by {action.drill}")
    if plan.t0 <= action.added_at:
        raise ActionError(f"{run_id} began before action {action.id} was added: run `failwhale drill {action.drill}` again")
    if plan.sham or not plan.inject:
        raise ActionError(f"nothing was broken in {run_id}, so it shows nothing: run `failwhale drill {action.drill}` with its fault")
    if after.header.verdict not in CONCLUSIVE:
        raise ActionError(f"{run_id} ended {after.header.verdict}, which shows nothing: run `failwhale drill {action.drill}` again")


def _before(action: Action, incidents: Path, incident_id: str) -> Incident | None:
    """The incident itself when it is a run of the drill, else the last run of the drill before the action."""
    own = store.read_file(incidents / incident_id / store.INCIDENT)
    if own.header.drill == action.drill:
        return own
    for path in sorted(incidents.glob(f"*-{action.drill}/{store.INCIDENT}"), reverse=True):
        found, plan = _recorded(incidents, path.parent.name)
        if plan.t0 < action.added_at and plan.drill == action.drill and not plan.sham and found.header.verdict in CONCLUSIVE:
            return found
    return None


def _recorded(incidents: Path, run_id: str) -> tuple[Incident, Plan]:
    try:
        found = store.read_file(incidents / run_id / store.INCIDENT)
        return found, msgspec.json.decode((incidents / run_id / store.SNAPSHOT / plans.FILE).read_bytes(), type=Plan)
    except (store.NoIncidentError, FileNotFoundError, evidence.NoSnapshotError) as error:
        raise ActionError(
            f"no evidence of a run {run_id!r} ({error}): `failwhale postmortem new {run_id}` freezes that of a recorded run"
        ) from error


def _changes(before: Incident | None, after: Incident) -> list[Change]:
    return [Change(title, _text(before, name), _text(after, name)) for name, title in COMPARED.items()]


def _text(incident: Incident | None, name: str) -> str:
    figure = incident.figures.get(name) if incident else None
    return wording.text(figure) if figure else wording.NOT_AVAILABLE
