"""Did an action help? A re-run of its drill after it, held against the run before it, figure by figure.

A `done` that somebody typed into actions.yaml is not believed: it is derived again from the run that it names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from postmortems import store, wording
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


def doubts(listed: Sequence[Action], *, incidents: Path, incident_id: str) -> dict[str, str]:
    """Actions by id that say `done` without a recorded run that shows it, and why they count as open, in a sentence that says what to do."""
    why = {action.id: _doubt(action, incidents, incident_id) for action in listed if action.state == "done"}
    how = "so it counts as open: `failwhale postmortem actions done"
    return {name: f"action {name} says done, but {told}, {how} {incident_id} {name} --rerun RUN`" for name, told in why.items() if told}


def believed(listed: Sequence[Action], *, incidents: Path, incident_id: str) -> tuple[Action, ...]:
    """The actions, those open again whose `done` is doubted."""
    doubted = doubts(listed, incidents=incidents, incident_id=incident_id)
    return tuple(replace(action, state="open", rerun=None) if action.id in doubted else action for action in listed)


def _doubt(action: Action, incidents: Path, incident_id: str) -> str:
    if action.rerun is None:
        return "no re-run of its drill is attached"
    try:
        shown = of(action, incidents=incidents, incident_id=incident_id, run_id=action.rerun.run_id)
    except ActionError as error:
        return f"its re-run does not show it ({error})"
    if shown != action.rerun:
        return f"its re-run is not what the record of {shown.run_id} gives{f' beside {shown.before}' if shown.before else ''}"
    return ""


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
    except (store.NoIncidentError, FileNotFoundError, msgspec.DecodeError) as error:
        raise ActionError(
            f"no evidence of a run {run_id!r} ({error}): `failwhale postmortem new {run_id}` freezes that of a recorded run"
        ) from error


def _changes(before: Incident | None, after: Incident) -> list[Change]:
    return [Change(title, _text(before, name), _text(after, name)) for name, title in COMPARED.items()]


def _text(incident: Incident | None, name: str) -> str:
    figure = incident.figures.get(name) if incident else None
    return wording.text(figure) if figure else wording.NOT_AVAILABLE
