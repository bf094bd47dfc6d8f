"""What a process is called, from what supervisord says and what /proc shows."""

from __future__ import annotations

import pytest

from reference_app.stack import control
from reference_app.stack.marks import Marked
from reference_app.stack.supervision import Reported

ALIVE = Marked(pid=7, parent=1, group=7, stopped=False, started=0, component="graph-0")
PAUSED = Marked(pid=7, parent=1, group=7, stopped=True, started=0, component="graph-0")


@pytest.mark.parametrize(
    ("reported", "leader", "state"),
    [
        ("RUNNING", ALIVE, "running"),
        ("STARTING", ALIVE, "starting"),
        ("RUNNING", PAUSED, "paused"),
        ("RUNNING", None, "exited"),
        ("BACKOFF", None, "exited"),
        ("FATAL", None, "exited"),
        ("STOPPED", None, "stopped"),
        ("STOPPED", ALIVE, "running"),
        (None, ALIVE, "running"),
        (None, PAUSED, "paused"),
        (None, None, "missing"),
    ],
)
def test_the_state_of_a_process_follows_from_both_sources(reported: str | None, leader: Marked | None, state: str) -> None:
    assert control._state(Reported(reported, "") if reported else None, leader) == state
