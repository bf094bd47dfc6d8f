"""What a process is called, from what supervisord says and what /proc shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reference_app.contract.topology import SMALL, Lab, components
from reference_app.kit import files
from reference_app.kit.home import Home
from reference_app.stack import control
from reference_app.stack.control import Control
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


class Restarting:
    """A supervisord whose program has just ended by itself: it cannot be stopped before it is started again."""

    def __init__(self) -> None:
        self.told: Iterator[str] = iter(["EXITED", "EXITED", "STARTING", "STOPPING", "STOPPED"])
        self.state, self.stopped = next(self.told), 0

    def states(self) -> dict[str, Reported]:
        return {"graph-0": Reported(self.state, "")}

    def stop(self, _name: str) -> bool:
        accepted = self.state == "STARTING"
        self.stopped += accepted
        self.state = next(self.told)
        return accepted


def test_who_ended_by_itself_is_stopped_when_it_was_started_again(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_json(home.lab_file, Lab(str(home.path), "small", 29_900, components(SMALL, 29_900), "key", "password"))
    stopping, supervisor = Control(home), Restarting()
    monkeypatch.setattr(stopping, "_supervisor", supervisor)
    stopping.stop("graph-0")
    assert (supervisor.state, supervisor.stopped) == ("STOPPED", 1)
