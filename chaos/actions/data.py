"""Faults of the data itself, and the backup without which they could not be taken back."""

from __future__ import annotations

from typing import Any

from chaoslib.exceptions import ActivityFailed

from chaos.actions.injecting import injected_each
from chaos.faults import data
from reference_app.kit.home import Home
from reference_app.stack import backup, errors, shards

__all__ = ["delete_without_where", "take_backup"]


def take_backup(database: str) -> str:
    """Dump a database (`tweets-db-0`) from its replica, as somebody does each night. Also in a rehearsal: it is no fault."""
    home = Home.from_environment()
    try:
        made = backup.take(home, shards.copy_of(home.lab(), database))
    except errors.StackError as error:
        raise ActivityFailed(str(error)) from error
    return f"{made.id}, up to {made.position}"


def delete_without_where(component: str, table: str = "tweets", configuration: dict[str, Any] | None = None) -> str:
    """Delete every row of a table on a primary; the undo is a restore."""
    return injected_each(component, lambda home, name: data.deletion(home, name, table), configuration)
