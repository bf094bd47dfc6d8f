"""Draft, in review, published, closed: who may go on when. A gate that is not met is a sentence that says what to do."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from postmortems import actions, auditlog, check, evidence, frontmatter, publishing, store, verification
from postmortems.actions import Action, Edit
from postmortems.auditlog import Changed, Entry
from postmortems.model import Incident, State
from reference_app.kit.home import Home

NEXT: dict[State, State] = {"draft": "in-review", "in-review": "published", "published": "closed"}
_HOW: dict[State, str] = {"in-review": "review", "published": "publish", "closed": "close"}

P = ParamSpec("P")
T = TypeVar("T")


class GateError(Exception):
    """What is not met yet, a sentence each."""

    def __init__(self, unmet: Sequence[str]) -> None:
        super().__init__("\n".join(unmet))
        self.unmet = tuple(unmet)


@dataclass(frozen=True)
class Desk:
    """One postmortem in the hands of a person: `by` is who, `clock` gives Unix seconds, `archive` is where published ones go."""

    home: Home
    incident_id: str
    by: str
    clock: Callable[[], float]
    archive: Path

    @property
    def directory(self) -> Path:
        return self.home.incidents / self.incident_id


def _alone(act: Callable[Concatenate[Desk, P], T]) -> Callable[Concatenate[Desk, P], T]:
    """What reads, changes and writes back, one at a time."""

    @functools.wraps(act)
    def waiting(desk: Desk, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with store.alone(desk.directory):
            return act(desk, *args, **kwargs)

    return waiting


@_alone
def review(desk: Desk, reviewers: Sequence[str] = ()) -> Incident:
    """Ask for review: the evidence is complete, everything stated is true, and somebody is named who looks at it. Raises GateError."""
    _expect(desk, "in-review")
    if named := _names(reviewers):
        store.amend(desk.directory, lambda text: frontmatter.changed(text, "reviewers", sorted({*_reviewers(text), *named})))
    return _moved(desk, "in-review", gates(desk, "in-review"))


@_alone
def publish(desk: Desk) -> Incident:
    """Publish: besides, every action says who, until when, and how one can tell. A copy goes to the archive. Raises GateError."""
    _expect(desk, "published")
    _refresh(desk)
    return _moved(desk, "published", gates(desk, "published"))


@_alone
def close(desk: Desk) -> Incident:
    """Close: every action is done, shown by a re-run of its drill, or declined with a reason. Raises GateError."""
    _expect(desk, "closed")
    return _moved(desk, "closed", gates(desk, "closed"))


def gates(desk: Desk, wanted: State) -> list[str]:
    """What stands between a postmortem and a state, in sentences; empty when nothing does."""
    listed = actions.read(desk.directory)
    unmet = [*_evidence(desk), *_reviewed(desk)]
    if wanted in ("published", "closed"):
        unmet += [*actions.lacking(listed), *publishing.paths_of_the_machine(desk.directory, desk.home)]
    if wanted == "closed":
        unmet += actions.unfinished(believed(desk))
    return unmet


def believed(desk: Desk) -> tuple[Action, ...]:
    """The actions of a postmortem, those open that say `done` without a recorded run that shows it. Raises ActionError."""
    return verification.believed(actions.read(desk.directory), incidents=desk.home.incidents, incident_id=desk.incident_id)


@_alone
def add(desk: Desk, action: Action) -> Action:
    """Add an action; its id and time are given here, and its drill is the incident's unless it names one. Raises GateError when it is closed."""
    incident = _not_closed(desk)
    listed = actions.read(desk.directory)
    added = replace(action, id=actions.numbered(listed), added_at=desk.clock(), drill=action.drill or incident.header.drill)
    _listed(desk, [*listed, added], f"adds action {added.id}: {added.text}")
    return added


@_alone
def done(desk: Desk, action_id: str, rerun: str) -> Action:
    """Mark an action done, with the re-run that shows it. Raises ActionError, GateError."""
    _not_closed(desk)
    listed = actions.read(desk.directory)
    action = actions.open_one(believed(desk), action_id)
    shown = verification.of(action, incidents=desk.home.incidents, incident_id=desk.incident_id, run_id=rerun)
    finished = replace(action, state="done", rerun=shown)
    _listed(desk, actions.replaced(listed, finished), f"marks action {action_id} done, shown by {rerun}")
    return finished


@_alone
def decline(desk: Desk, action_id: str, reason: str) -> Action:
    """Mark an action declined; it stays in the table. Raises ActionError, GateError."""
    _not_closed(desk)
    listed = actions.read(desk.directory)
    declined = actions.declined(actions.open_one(believed(desk), action_id), reason)
    _listed(desk, actions.replaced(listed, declined), f"declines action {action_id}: {declined.reason}")
    return declined


@_alone
def change(desk: Desk, action_id: str, edit: Edit) -> Action:
    """Change what an action says, in whatever state it is; what was before stays in the log. Raises ActionError, GateError."""
    _not_closed(desk)
    listed = actions.read(desk.directory)
    action = actions.one(listed, action_id)
    edited = actions.edited(action, edit)
    before, after = actions.different(action, edited), actions.different(edited, action)
    what = "; ".join(f"{name.replace('_', '-')} from {before[name] or 'nothing'} to {after[name] or 'nothing'}" for name in after)
    _listed(
        desk, actions.replaced(listed, edited), f"changes action {action_id}: {what}", Changed("actions.changed", action_id, before, after)
    )
    return edited


def _expect(desk: Desk, wanted: State) -> None:
    status = store.read(desk.home, desk.incident_id).header.status
    if NEXT.get(status) == wanted:
        return
    following = NEXT.get(status)
    then = f"its next step is `failwhale postmortem {_HOW[following]} {desk.incident_id}`" if following else "that is the last state"
    raise GateError([f"{desk.incident_id} is {status}, so it cannot become {wanted}: {then}"])


def _not_closed(desk: Desk) -> Incident:
    incident = store.read(desk.home, desk.incident_id)
    if incident.header.status == "closed":
        raise GateError([f"{desk.incident_id} is closed: its actions stand as they are"])
    return incident


def _evidence(desk: Desk) -> Iterator[str]:
    """Evidence is complete when all that was frozen is there and true, and the text names what could not be."""
    findings = check.findings(desk.directory)
    yield from (f"not true or not complete: {finding}" for finding in findings)
    if findings:
        yield f"`failwhale postmortem check {desk.incident_id}` has {len(findings)} findings: correct the text, or the evidence is not what it was"
        return
    text = (desk.directory / store.POSTMORTEM).read_text()
    for gap in evidence.read_manifest(desk.directory / store.SNAPSHOT).missing:
        if gap not in text:
            yield f"the text does not say that this could not be frozen: {gap}"


def _reviewed(desk: Desk) -> Iterator[str]:
    path = desk.directory / store.POSTMORTEM
    if path.exists() and not _reviewers(path.read_text()):
        yield f"no reviewers are named: `failwhale postmortem review {desk.incident_id} --reviewer NAME`, or the front matter of {path.name}"


def _reviewers(text: str) -> list[str]:
    try:
        named = frontmatter.read(text).get("reviewers") or []
    except frontmatter.FrontMatterError:
        return []
    return _names(named if isinstance(named, list) else [named])


def _names(said: Iterable[object]) -> list[str]:
    """Without those that are blank."""
    return [name for one in said if one is not None and (name := str(one).strip())]


def _moved(desk: Desk, status: State, unmet: Sequence[str]) -> Incident:
    if unmet:
        raise GateError(unmet)
    incident = store.set_status(desk.directory, status)
    _log(desk, f"moves it to {status}", status)
    _archive(desk, status)
    return incident


def _listed(desk: Desk, listed: Sequence[Action], what: str, changed: Changed | None = None) -> None:
    """Raises GateError: nothing is written where an action names a path of this machine, since its log could never be published; and what is
    published stays as it was when it could not be published as it is now.
    """
    if named := publishing.path_in(actions.table(listed), desk.home):
        raise GateError([f"an action names {named}, a path of this machine: say it without"])
    if not (desk.directory / store.POSTMORTEM).exists():
        raise GateError([f"{desk.incident_id} has no {store.POSTMORTEM}: `failwhale postmortem new {desk.incident_id}` drafts it"])
    actions.write(desk.directory, listed)
    _refresh(desk)
    status = store.read(desk.home, desk.incident_id).header.status
    _log(desk, what, status, changed)
    if status == "published" and (unmet := gates(desk, "published")):
        kept = f"the actions are written; the copy in {desk.archive} stays as it was: correct that, and the next change of one renews it"
        raise GateError([*unmet, kept])
    _archive(desk, status)


def _refresh(desk: Desk) -> None:
    listed = actions.read(desk.directory)
    store.amend(desk.directory, lambda text: actions.in_text(text, listed))


def _log(desk: Desk, what: str, status: State, changed: Changed | None = None) -> None:
    auditlog.append(desk.directory, Entry(desk.clock(), desk.by, what, status, changed))


def _archive(desk: Desk, status: State) -> None:
    if status in ("published", "closed"):
        publishing.copy(desk.directory, desk.archive)
