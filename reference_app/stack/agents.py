"""Agents: processes that act on a lab for as long as a fault lasts. They carry the lab's mark, so that `down` ends one that was forgotten."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence

from reference_app.kit.home import Home
from reference_app.stack import marks, program
from reference_app.stack.errors import StackError

_SEEN_S, _GONE_S, _POLL_S = 2.0, 5.0, 0.02


def start(home: Home, name: str, argv: Sequence[str]) -> None:
    """Start it in a session of its own, unless it runs; what it says is in `var/log/<name>.log`.

    Returns when it is to be seen, or one that is done at once would have been: an `end` that comes before that would not find it.
    """
    if running(home, name):
        return
    program.spawn(home, name, argv)
    deadline = time.monotonic() + _SEEN_S
    while not running(home, name) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def running(home: Home, name: str) -> bool:
    return name in marks.components(home.path)


def end(home: Home, name: str) -> None:
    """SIGKILL, and wait until it is gone; nothing when it does not run. Raises StackError."""
    deadline = time.monotonic() + _GONE_S
    while (agent := marks.components(home.path).get(name)) is not None:
        if time.monotonic() >= deadline:
            raise StackError(f"the agent {name} (pid {agent.pid}) does not end")
        marks.signal_all([agent], signal.SIGKILL)
        time.sleep(_POLL_S)
