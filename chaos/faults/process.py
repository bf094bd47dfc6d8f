"""Process faults: a component is killed with SIGKILL and stays down until somebody starts it."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from chaos import events
from chaos.faults.base import NotApplicableError
from reference_app.kit.home import Home
from reference_app.stack.control import Control

READY_SECONDS = 15.0
"""MariaDB answers 0.33 s after a kill on an idle machine; the rest is for a busy one."""


class KillAndHold(msgspec.Struct, frozen=True, tag="kill_and_hold"):
    """kill -9 of the process group, held: the supervisor does not bring it back."""

    kind: ClassVar[str] = "kill_and_hold"
    event: ClassVar[events.Name] = "injected"

    component: str

    @property
    def components(self) -> tuple[str, ...]:
        return (self.component,)

    def check(self, home: Home) -> None:
        """Only a running component can be killed: a dead one would make a drill of somebody else's outage."""
        state = _state(home, self.component)
        if state != "running":
            raise NotApplicableError(f"{self.component} is {state}, not running: `failwhale up` repairs the lab")

    def apply(self, home: Home) -> None:
        Control(home).kill_and_hold(self.component)

    def undo(self, home: Home) -> None:
        control = Control(home)
        control.start(self.component)
        control.wait_ready([self.component], READY_SECONDS)

    def in_effect(self, home: Home) -> bool:
        return _state(home, self.component) != "running"


def _state(home: Home, component: str) -> str:
    states = {state.name: state.state for state in Control(home).states()}
    if component not in states:
        raise NotApplicableError(f"no component {component!r}; this lab has {', '.join(sorted(states))}")
    return states[component]
