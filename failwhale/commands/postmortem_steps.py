"""`failwhale postmortem review / publish / close / actions`: the way of a postmortem from draft to closed."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, NoReturn, cast

import typer
from rich.table import Table
from rich.text import Text

from failwhale.commands import terminal
from postmortems import actions, auditlog, publishing, store, verification, workflow
from postmortems.actions import Action, ActionError, Edit
from postmortems.frontmatter import FrontMatterError
from postmortems.model import Incident
from postmortems.workflow import Desk, GateError
from reference_app.kit.home import Home

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Archive = Annotated[Path, typer.Option(envvar="FAILWHALE_ARCHIVE", help="Where published postmortems go, in git.")]
IncidentId = Annotated[str, typer.Argument(help="An id of `failwhale postmortem list`, or `latest`.")]
By = Annotated[str, typer.Option(help="Who does it; by default you.")]
ActionId = Annotated[str, typer.Argument(help="An id of `actions list`.")]
NOT_MET, USAGE = 1, 2


def register(group: typer.Typer) -> None:
    """Add the commands to the group `postmortem`."""
    group.command("review")(review)
    group.command("publish")(publish)
    group.command("close")(close)
    of_actions = typer.Typer(no_args_is_help=True, help="What is to change, who sees to it, and how one can tell that it is done.")
    for name, command in (("list", list_actions), ("add", add), ("change", change), ("done", done), ("decline", decline)):
        of_actions.command(name)(command)
    group.add_typer(of_actions, name="actions")


def review(
    incident_id: IncidentId,
    *,
    reviewer: Annotated[list[str] | None, typer.Option(help="Who looks at it; may be given several times.")] = None,
    by: By = "",
    archive: Archive = publishing.ARCHIVE,
    as_json: Json = False,
) -> None:
    """Draft -> in review: the evidence is complete, `check` is green, reviewers are named. Exit codes: 0, 1 a gate is not met, 2 usage."""
    _step(_desk(incident_id, by, archive), lambda desk: workflow.review(desk, reviewer or []), as_json=as_json)


def publish(incident_id: IncidentId, *, by: By = "", archive: Archive = publishing.ARCHIVE, as_json: Json = False) -> None:
    """In review -> published: besides, every action has an owner, a due date and a done-when. A copy goes to the archive.

    Exit codes: 0, 1 a gate is not met, 2 usage.
    """
    _step(_desk(incident_id, by, archive), workflow.publish, as_json=as_json)


def close(incident_id: IncidentId, *, by: By = "", archive: Archive = publishing.ARCHIVE, as_json: Json = False) -> None:
    """Published -> closed: every action is done, shown by a re-run of its drill, or declined with a reason.

    Exit codes: 0, 1 a gate is not met, 2 usage.
    """
    _step(_desk(incident_id, by, archive), workflow.close, as_json=as_json)


def list_actions(incident_id: IncidentId, *, as_json: Json = False) -> None:
    """Actions of a postmortem, those that say done and are not believed, and who did what to it."""
    desk = _desk(incident_id, "", publishing.ARCHIVE)
    with _told():
        listed, log = actions.read(desk.directory), list(auditlog.read(desk.directory))
        doubts = verification.doubts(listed, incidents=desk.home.incidents, incident_id=desk.incident_id)
    if as_json:
        terminal.emit({"schema": "failwhale/actions/v1", "id": desk.incident_id, "actions": listed, "doubts": doubts, "log": log})
        return
    table = Table("id", "action", "owner", "due", "done when", "drill", "state")
    for action in listed:
        cells = (action.id, action.text, action.owner, str(action.due or ""), action.done_when, action.drill, action.state)
        table.add_row(*map(Text, cells))  # what people wrote is no markup
    terminal.show(table)
    terminal.write(doubts.values())
    terminal.write(f"{datetime.fromtimestamp(entry.at).astimezone():%F %T}  {entry.by} {entry.what}" for entry in log)


def add(
    incident_id: IncidentId,
    text: Annotated[str, typer.Argument(help="What is to change, beginning with a verb.")],
    *,
    kind: Annotated[str, typer.Option(help=" | ".join(actions.KINDS))] = "prevent",
    owner: Annotated[str, typer.Option(help="Who sees to it.")] = "",
    due: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="By when.")] = None,
    done_when: Annotated[str, typer.Option(help="What anybody can then see.")] = "",
    drill: Annotated[str, typer.Option(help="What is run again to show it; by default the drill of the run.")] = "",
    by: By = "",
    archive: Archive = publishing.ARCHIVE,
    as_json: Json = False,
) -> None:
    """Add an action. What is left out can be given later by `actions change`; publishing asks for it.

    Exit codes: 0, 1 it is closed, or it is published and its copy in the archive stays as it was, 2 usage.
    """
    if kind not in actions.KINDS:
        terminal.complain(f"no kind of action {kind!r}; there are {', '.join(actions.KINDS)}")
        raise typer.Exit(USAGE)
    until: date | None = due.date() if due else None
    action = Action("", text, 0.0, cast("actions.Kind", kind), owner, until, done_when, drill)
    _acted(_desk(incident_id, by, archive), lambda desk: workflow.add(desk, action), as_json=as_json)


def change(
    incident_id: IncidentId,
    action_id: ActionId,
    *,
    text: Annotated[str | None, typer.Option(help="What is to change, beginning with a verb.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who sees to it from now on.")] = None,
    due: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="By when.")] = None,
    done_when: Annotated[str | None, typer.Option(help="What anybody can then see.")] = None,
    by: By = "",
    archive: Archive = publishing.ARCHIVE,
    as_json: Json = False,
) -> None:
    """Give an action another text, owner, due date or done-when; what is left out stays as it is.

    The table in the postmortem follows, and so does a published copy.
    The audit log keeps who changed it and what was there before (`actions.changed`); `actions list` shows it.
    State and re-run are not changed here: `actions done` and `actions decline` do that.

    For example: failwhale postmortem actions change latest A1 --owner timelines --due 2026-12-24

    Exit codes: 0 changed, 1 the postmortem is closed, or its published copy stays as it was, 2 no such action, or nothing that would be another.
    """
    edit = Edit(text, owner, due.date() if due else None, done_when)
    _acted(_desk(incident_id, by, archive), lambda desk: workflow.change(desk, action_id, edit), as_json=as_json)


def done(
    incident_id: IncidentId,
    action_id: ActionId,
    *,
    rerun: Annotated[str, typer.Option(metavar="RUN", help="A run of the action's drill after the action was added.")],
    by: By = "",
    archive: Archive = publishing.ARCHIVE,
    as_json: Json = False,
) -> None:
    """Mark an action done, with a re-run of its drill, which is compared with the run before; whether it helped is for reviewers to say.

    Exit codes: 0, 1 it is closed, 2 no such run, an older one, a rehearsal, or one that was inconclusive.
    """
    _acted(_desk(incident_id, by, archive), lambda desk: workflow.done(desk, action_id, rerun), as_json=as_json)


def decline(
    incident_id: IncidentId,
    action_id: ActionId,
    *,
    reason: Annotated[str, typer.Option(help="Why it is not done.")],
    by: By = "",
    archive: Archive = publishing.ARCHIVE,
    as_json: Json = False,
) -> None:
    """Mark an action declined; it stays in the table, with the reason. Exit codes: 0, 1 it is closed, 2 usage."""
    _acted(_desk(incident_id, by, archive), lambda desk: workflow.decline(desk, action_id, reason), as_json=as_json)


def _desk(incident_id: str, by: str, archive: Path) -> Desk:
    home = Home.from_environment()
    with _told():
        chosen = store.chosen(home, incident_id)
        store.read(home, chosen)
    return Desk(home, chosen, by or getpass.getuser(), time.time, archive)


def _step(desk: Desk, move: Callable[[Desk], Incident], *, as_json: bool) -> None:
    try:
        with _told():
            header = move(desk).header
    except GateError as error:
        if as_json:
            terminal.emit({"schema": "failwhale/postmortem-step/v1", "id": desk.incident_id, "moved": False, "unmet": error.unmet})
        _not_met(error)
    if as_json:
        terminal.emit({"schema": "failwhale/postmortem-step/v1", "id": header.id, "moved": True, "status": header.status, "unmet": []})
    else:
        terminal.say(f"{header.id} is {header.status}")


def _acted(desk: Desk, act: Callable[[Desk], Action], *, as_json: bool) -> None:
    try:
        with _told():
            action = act(desk)
    except GateError as error:
        _not_met(error)
    if as_json:
        terminal.emit({"schema": "failwhale/action/v1", "id": desk.incident_id, "action": action})
    else:
        terminal.say(f"action {action.id} is {action.state}: {action.text}")


def _not_met(error: GateError) -> NoReturn:
    for sentence in error.unmet:
        terminal.complain(sentence)
    raise typer.Exit(NOT_MET)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (ActionError, FrontMatterError, store.NoIncidentError, OSError, ValueError) as error:
        terminal.complain(str(error))
        raise typer.Exit(USAGE) from None
