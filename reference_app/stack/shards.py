"""Work on one shard of a lab: which members are meant, one piece of work at a time, and no step without an end."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from asyncmy.errors import MySQLError

from reference_app.contract.topology import Component, Lab
from reference_app.kit.home import Home
from reference_app.stack import errors
from reference_app.stack.control import Control

T = TypeVar("T")
Say = Callable[[str], None]
STEP_S = 30.0
"""Of anything that waits for a server."""


def name_of(lab: Lab, name: str) -> str:
    return next((c.shard for c in lab.kind("mariadb") if name in (c.name, c.shard)), name)


def pair(lab: Lab, name: str) -> tuple[Component, Component]:
    """(the primary, the member that is meant)."""
    try:
        primary, replica = lab.shard(name_of(lab, name))
    except KeyError as error:
        raise errors.ReplicationError(str(error.args[0])) from None
    if replica is None:
        raise errors.ReplicationError(f"{primary.name} has no replica in a lab of the topology {lab.topology}: there is nobody to promote")
    return primary, primary if name == primary.name else replica


def copy_of(lab: Lab, name: str) -> Component:
    """Where a database is dumped: its replica, which nobody waits for, or what is named; without a replica its primary."""
    try:
        primary, replica = lab.shard(name_of(lab, name))
    except KeyError as error:
        raise errors.ReplicationError(str(error.args[0])) from None
    return primary if name == primary.name else replica or primary


def hold_down(control: Control, name: str) -> None:
    """SIGKILL if it runs, in whatever state, and nobody starts it again."""
    try:
        control.kill_and_hold(name)
    except errors.NotRunningError:
        control.stop(name)


def done(work: Coroutine[Any, Any, T], limit_s: float = STEP_S) -> T:
    """Run it within so many seconds; what a server answers wrong, or not at all, is a StackError."""

    async def limited() -> T:
        async with asyncio.timeout(limit_s):
            return await work

    try:
        return asyncio.run(limited())
    except TimeoutError:
        raise errors.ReplicationError(f"a database did not do its part within {limit_s:g} s: see `failwhale status`") from None
    except (MySQLError, OSError) as error:
        raise errors.ReplicationError(f"a database refused: {error}") from error


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """One change of roles or data of this lab at a time. Raises StackError when another is under way."""
    home.path.mkdir(parents=True, exist_ok=True)
    with (home.path / "roles.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise errors.StackError(
                "a seeding, promotion, rebuild, backup or restore is under way in this lab: wait for its end and try again"
            ) from None
        yield
