"""Faults of the data itself, and the backup without which they could not be taken back."""

from __future__ import annotations

from typing import Any

from chaoslib.exceptions import ActivityFailed

from chaos import session, undo
from chaos.actions.injecting import injected_each
from chaos.faults import data, limits
from chaos.faults.base import NotApplicableError
from chaos.session import NotAllowedError
from reference_app.kit.home import Home
from reference_app.kit.limits import POSTS, TWITTERS
from reference_app.stack import backup, errors, shards

__all__ = ["delete_limits", "delete_without_where", "set_limits", "take_backup"]


def take_backup(database: str) -> str:
    """Dump a database (`tweets-db-0`) from its replica, as somebody does each night. Also in a rehearsal: it is no fault."""
    home = Home.from_environment()
    try:
        with shards.alone(home):
            made = backup.take(home, shards.copy_of(home.lab(), database))
    except errors.StackError as error:
        raise ActivityFailed(str(error)) from error
    return f"{made.id}, up to {made.position}"


def delete_without_where(
    component: str,
    table: str = "tweets",
    safe_updates: bool = False,  # noqa: FBT001, FBT002 - the toolkit lists no others
    configuration: dict[str, Any] | None = None,
) -> str:
    """Delete every row of a table on a primary; the undo is a restore. With `safe_updates` the server refuses it, as one that names no key."""
    return injected_each(component, lambda home, name: data.deletion(home, name, table, safe_updates=safe_updates), configuration)


def set_limits(posts: int = TWITTERS[POSTS]) -> str:
    """Let users post so many times a day, until the run ends; the decider daily_limits enforces it. Also in a rehearsal: it is no fault."""
    home = Home.from_environment()
    try:
        undo.inject(session.current(home), limits.setting(home, posts), whole_run=True)
    except (NotApplicableError, NotAllowedError) as refused:
        raise ActivityFailed(str(refused)) from refused
    return f"{posts} posts a day"


def delete_limits(component: str, configuration: dict[str, Any] | None = None) -> str:
    """Delete what says how much users may do; the component is the gateway that enforces it."""
    return injected_each(component, limits.deletion, configuration)
