"""Actions of a postmortem: what is to change, who sees to it, by when, and how anybody can tell that it is done. Declined ones are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Literal, get_args

import msgspec
import yaml

from reference_app.kit import files

FILE = "actions.yaml"
BEGIN, END = "<!-- actions -->", "<!-- /actions -->"
"""Around the table of actions in a postmortem, which the commands write."""

Kind = Literal["prevent", "detect", "mitigate", "process"]
State = Literal["open", "done", "declined"]
KINDS: tuple[str, ...] = get_args(Kind)
_NEEDED = {
    "owner": ("an owner", "--owner NAME"), "due": ("a due date", "--due YYYY-MM-DD"), "done_when": ("a done-when", "--done-when TEXT"),
}  # fmt: skip
"""Field -> what it is called, and the option that gives it."""


class ActionError(Exception):
    """An action that is not there, is not open, or a file of actions that cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Change:
    """A figure of the run before the action and of the re-run after it, in words."""

    figure: str
    before: str
    after: str


@dataclass(frozen=True)
class Rerun:
    """A recorded run of the action's drill after the action; `before` is the run that it is compared with, empty when there was none."""

    run_id: str
    before: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Action:
    """`drill` is what is run again to show it; `added_at` is Unix seconds; `reason` is why it was declined."""

    id: str
    text: str
    added_at: float
    kind: Kind = "prevent"
    owner: str = ""
    due: date | None = None
    done_when: str = ""
    drill: str = ""
    state: State = "open"
    reason: str = ""
    rerun: Rerun | None = None


@dataclass(frozen=True)
class Edit:
    """What an action is to say from now on; None is what stays as it is."""

    text: str | None = None
    owner: str | None = None
    due: date | None = None
    done_when: str | None = None


@dataclass(frozen=True)
class _File:
    actions: tuple[Action, ...] = field(default=())


def read(incident_dir: Path) -> tuple[Action, ...]:
    """Every action of an incident, in the order in which they were added. Raises ActionError."""
    path = incident_dir / FILE
    try:
        return msgspec.convert(yaml.safe_load(path.read_text()) or {}, _File).actions
    except FileNotFoundError:
        return ()
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ActionError(
            f"{path} is no list of actions: {error}. Correct the file; `failwhale postmortem actions list` reads it"
        ) from error


def write(incident_dir: Path, listed: Sequence[Action]) -> None:
    """Replace the list."""
    content = yaml.safe_dump(msgspec.to_builtins(_File(tuple(listed))), sort_keys=False, allow_unicode=True, width=140)
    files.write_atomic(incident_dir / FILE, content.encode())


def numbered(listed: Sequence[Action]) -> str:
    """The id of the next action."""
    return f"A{1 + max((int(action.id[1:]) for action in listed if action.id[1:].isdigit()), default=0)}"


def one(listed: Sequence[Action], action_id: str) -> Action:
    """The action of that id. Raises ActionError."""
    found = next((action for action in listed if action.id == action_id), None)
    if found is None:
        raise ActionError(f"there is no action {action_id!r}; there are {', '.join(a.id for a in listed) or 'none yet'}")
    return found


def open_one(listed: Sequence[Action], action_id: str) -> Action:
    """The open action of that id. Raises ActionError."""
    found = one(listed, action_id)
    if found.state != "open":
        raise ActionError(f"action {action_id} is {found.state} already")
    return found


def replaced(listed: Sequence[Action], changed: Action) -> tuple[Action, ...]:
    """The list with this action in the place of the one of its id."""
    return tuple(changed if action.id == changed.id else action for action in listed)


def declined(action: Action, reason: str) -> Action:
    """Not to be done. Raises ActionError without a reason."""
    if not reason.strip():
        raise ActionError(f"action {action.id} can be declined with a reason only: --reason TEXT")
    return replace(action, state="declined", reason=reason.strip())


def edited(action: Action, edit: Edit) -> Action:
    """The action as it is to be. Raises ActionError when it would say nothing, or nothing else than before."""
    changed = replace(action, **{name: value for name, value in asdict(edit).items() if value is not None})
    if not changed.text.strip():
        raise ActionError(f"action {action.id} must say what is to change: its text cannot be empty")
    if changed == action:
        raise ActionError(f"action {action.id} says that already: give it another text, owner, due date or done-when")
    return changed


def different(action: Action, other: Action) -> dict[str, str]:
    """What the action says where another version of it says something else, by field."""
    pairs = ((part.name, getattr(action, part.name), getattr(other, part.name)) for part in fields(Edit))
    return {name: str(value or "") for name, value, others in pairs if value != others}


def lacking(listed: Sequence[Action]) -> Iterator[str]:
    """What the open and done actions do not say, in sentences that say what to do."""
    for action in listed:
        missing = (
            [] if action.state == "declined" else [said for name, said in _NEEDED.items() if not str(getattr(action, name) or "").strip()]
        )
        if missing:
            what, how = " and ".join(name for name, _ in missing), " ".join(option for _, option in missing)
            yield f"action {action.id} lacks {what}: `failwhale postmortem actions change INCIDENT {action.id} {how}`"


def unfinished(listed: Sequence[Action]) -> Iterator[str]:
    """What is neither done nor declined with a reason, in sentences that say what to do."""
    for action in listed:
        if action.state == "open":
            drill = action.drill or "DRILL"
            yield (
                f"action {action.id} is open: when it is done, run `failwhale drill {drill}` again and "
                f"`failwhale postmortem actions done INCIDENT {action.id} --rerun RUN`; or decline it with a reason"
            )
        elif action.state == "declined" and not action.reason.strip():
            yield f"action {action.id} is declined without a reason: write one into {FILE}"


def table(listed: Sequence[Action]) -> str:
    """The Markdown table, with what the re-runs showed below it."""
    rows = ["| id | action | type | owner | due | done when | drill | state |", "|---|---|---|---|---|---|---|---|"]
    rows += [_row(action) for action in listed] or ["| | none yet: `failwhale postmortem actions add` | | | | | | |"]
    return "\n".join([*rows, *(line for action in listed for line in _shown(action))])


def in_text(text: str, listed: Sequence[Action]) -> str:
    """The text with the table between its marks; a text without them is a person's and is left alone."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table(listed)}\n{END}{tail}" if begin and end else text


def _row(action: Action) -> str:
    state = f"{action.state}: {action.reason}" if action.reason else action.state
    cells = (action.id, action.text, action.kind, action.owner, str(action.due or ""), action.done_when, f"`{action.drill}`", state)
    return f"| {' | '.join(cell.replace('|', '/').replace(chr(10), ' ') for cell in cells)} |"


def _shown(action: Action) -> Iterator[str]:
    if action.rerun is None:
        return
    beside = f"beside `{action.rerun.before}`" if action.rerun.before else "with no run of it before"
    yield f"\n{action.id} was shown by `{action.rerun.run_id}`, {beside}:\n"
    yield "| figure | before | after |\n|---|--:|--:|"
    yield from (f"| {change.figure} | {change.before} | {change.after} |" for change in action.rerun.changes)
