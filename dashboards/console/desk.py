"""Work on a postmortem from the console: its text is saved, reviewed, published and closed by the functions of `postmortems.workflow` alone."""

from __future__ import annotations

import getpass
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from postmortems import actions, auditlog, frontmatter, lint, publishing, store, verification, workflow
from postmortems.actions import Action, ActionError
from postmortems.auditlog import Entry
from postmortems.frontmatter import FrontMatterError
from postmortems.lint import Finding
from postmortems.model import State
from postmortems.workflow import Desk, GateError
from reference_app.kit import files
from reference_app.kit.home import Home

ARCHIVE_VARIABLE = "FAILWHALE_ARCHIVE"
STATES: tuple[State, ...] = ("draft", "in-review", "published", "closed")
STEPS: dict[State, str] = {"draft": "Ask for review", "in-review": "Publish", "published": "Close"}
"""What the button does that leads on from a state."""
_OVERTAKEN = "{} was changed by somebody else meanwhile, so nothing was written: copy your text, reload the page, then write again."


@dataclass(frozen=True)
class Said:
    """How an attempt ended: `unmet` are sentences, none when it was done."""

    done: str = ""
    unmet: tuple[str, ...] = ()


def at(home: Home, incident_id: str, by: str) -> Desk:
    """A postmortem in the hands of whoever uses the console."""
    archive = os.environ.get(ARCHIVE_VARIABLE)
    return Desk(home, incident_id, by.strip() or login(), time.time, Path(archive) if archive else publishing.ARCHIVE)


def login() -> str:
    """Who runs the console."""
    return getpass.getuser()


def save(desk: Desk, text: str, *, opened: str) -> Said:
    """Write a person's text in the place of the one that was `opened`, unless somebody else wrote in between: more than the actions' table."""
    with store.alone(desk.directory):
        return _save(desk, text, opened)


def _save(desk: Desk, text: str, opened: str) -> Said:
    path = desk.directory / store.POSTMORTEM
    status = store.read(desk.home, desk.incident_id).header.status
    if status == "closed":
        return Said(unmet=("It is closed: its text stands as it is.",))
    try:
        frontmatter.read(text)
        if path.exists() and (now := path.read_text()) != opened:
            listed = actions.read(desk.directory)
            if now != actions.in_text(opened, listed):
                return Said(unmet=(_OVERTAKEN.format(path),))
            text = actions.in_text(text, listed)
    except (FrontMatterError, ActionError) as error:
        return Said(unmet=(f"Nothing was written, because {error}.",))
    files.write_atomic(path, text.encode())
    auditlog.append(desk.directory, Entry(desk.clock(), desk.by, "edits the text", status))
    return Said(done="The text is saved.")


def forward(desk: Desk, status: State, reviewers: Sequence[str]) -> Said:
    """Take the next step from a state."""
    steps: dict[State, Callable[[], object]] = {
        "draft": lambda: workflow.review(desk, reviewers), "in-review": lambda: workflow.publish(desk), "published": lambda: workflow.close(desk),
    }  # fmt: skip
    return tried(steps[status], done=f"It is {workflow.NEXT[status]} now.")


def tried(act: Callable[[], object], *, done: str) -> Said:
    """What became of it, in sentences."""
    try:
        act()
    except GateError as error:
        return Said(unmet=error.unmet)
    except (ActionError, store.NoIncidentError, FrontMatterError, OSError) as error:
        return Said(unmet=(str(error),))
    return Said(done=done)


def unmet(desk: Desk, status: State) -> list[str]:
    """What stands between a postmortem and its next state; nothing for a closed one."""
    try:
        return workflow.gates(desk, workflow.NEXT[status]) if status in workflow.NEXT else []
    except ActionError as error:
        return [str(error)]


def linted(text: str, listed: Sequence[Action]) -> list[Finding]:
    """What the text had better not say."""
    return lint.findings(text, listed)


def printed(desk: Desk) -> Said:
    """Write the postmortem as one HTML file, and as PDF beside it."""
    from postmortems import export  # noqa: PLC0415 - draws with what takes its time to load

    try:
        page = export.pdf_file(export.html_file(desk.directory, desk.directory))
    except (export.NotExportedError, store.NoIncidentError, OSError) as error:
        return Said(unmet=(str(error),))
    return Said(done=f"It is printed: {page}")


def pdf_of(desk: Desk) -> Path:
    """Where its PDF lies once it is printed."""
    return desk.directory / f"{desk.incident_id}.pdf"


def action_rows(listed: Iterable[Action]) -> list[dict[str, Any]]:
    """Actions as a table."""
    return [
        {
            "id": action.id, "action": action.text, "kind": action.kind, "owner": action.owner, "due": action.due, "done when": action.done_when,
            "drill": action.drill, "state": f"{action.state}: {action.reason}" if action.reason else action.state,
        }
        for action in listed
    ]  # fmt: skip


def doubts(desk: Desk, listed: Sequence[Action]) -> list[str]:
    """Actions that say `done` and are not believed, a sentence each."""
    return list(verification.doubts(listed, incidents=desk.home.incidents, incident_id=desk.incident_id).values())


def unfinished(desk: Desk, listed: Sequence[Action]) -> list[str]:
    """Ids of the actions that wait to be done or declined."""
    believed = verification.believed(listed, incidents=desk.home.incidents, incident_id=desk.incident_id)
    return [action.id for action in believed if action.state == "open"]


def log_rows(desk: Desk) -> list[dict[str, Any]]:
    """Who did what, the newest first."""
    told = [
        {"when": datetime.fromtimestamp(entry.at, UTC), "who": entry.by, "what": entry.what, "then": entry.status}
        for entry in auditlog.read(desk.directory)
    ]
    return told[::-1]
