"""Process faults: a component is killed once, killed and held down, killed again and again, or paused."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import ClassVar

from chaos.faults.base import ALIVE, NotApplicableError, OnComponent, bring_back, state_of
from reference_app.kit.home import Home
from reference_app.stack import agents, marks
from reference_app.stack.control import Control
from reference_app.stack.errors import StackError

SHORTEST_LIFE_SECONDS = 0.5


class _BySignal(OnComponent, frozen=True):
    engine: ClassVar[str] = "signals and supervisord"

    def measured(self, home: Home) -> dict[str, float]:
        """Its processes as the kernel has them: how many there are, how many stand still, and how long the first of them has run."""
        there = [process for process in marks.find(home.path) if process.component == self.component]
        uptime = {"uptime_s": round(max(map(marks.uptime_s, there)), 1)} if there else {}
        return {"processes": float(len(there)), "stopped_processes": float(sum(process.stopped for process in there))} | uptime


class KillAndHold(_BySignal, frozen=True, tag="kill_and_hold"):
    """kill -9 of the process group, held: the supervisor does not bring it back."""

    def apply(self, home: Home) -> None:
        if not self.sham:
            Control(home).kill_and_hold(self.component)

    def undo(self, home: Home) -> None:
        bring_back(home, self.component)

    def in_effect(self, home: Home) -> bool:
        return state_of(home, self.component) not in ALIVE


class Kill(_BySignal, frozen=True, tag="kill"):
    """kill -9 of the process group, once: the supervisor starts it again at its next tick."""

    momentary: ClassVar[bool] = True

    def apply(self, home: Home) -> None:
        if not self.sham:
            Control(home).kill(self.component)

    def undo(self, home: Home) -> None:
        bring_back(home, self.component)

    def in_effect(self, home: Home) -> bool:
        """True until it answers again, a second or two."""
        return self.component in Control(home).unanswered()


class Pause(_BySignal, frozen=True, tag="pause"):
    """SIGSTOP of the process group: it accepts connections and answers nothing, as a hung process or a long garbage collection does."""

    def apply(self, home: Home) -> None:
        if not self.sham:
            Control(home).pause(self.component)

    def undo(self, home: Home) -> None:
        bring_back(home, self.component)

    def in_effect(self, home: Home) -> bool:
        return state_of(home, self.component) == "paused"


class CrashLoop(_BySignal, frozen=True, tag="crash_loop"):
    """kill -9 every `every_s` seconds, whatever the supervisor does about it. An agent does it until it is ended itself."""

    every_s: float = 3.0

    @property
    def agent(self) -> str:
        return f"crash-loop-{self.component}"

    def check(self, home: Home) -> None:
        if self.every_s < SHORTEST_LIFE_SECONDS:
            raise NotApplicableError(
                f"every_s is {self.every_s:g}: it has to be {SHORTEST_LIFE_SECONDS:g} or more, or nothing lives to crash"
            )
        super().check(home)

    def apply(self, home: Home) -> None:
        if not self.sham:
            agents.start(home, self.agent, [sys.executable, "-m", "chaos.faults.process", self.component, str(self.every_s)])

    def undo(self, home: Home) -> None:
        agents.end(home, self.agent)
        bring_back(home, self.component)

    def in_effect(self, home: Home) -> bool:
        return agents.running(home, self.agent)


def _crash_again_and_again(home: Home, component: str, every_s: float) -> None:
    control = Control(home)
    while True:
        with contextlib.suppress(StackError):  # it died by itself since it was looked at, or could not be started: the next time, then
            if state_of(home, component) in ALIVE:
                control.kill(component)
            else:
                control.start(component)
        time.sleep(every_s)


if __name__ == "__main__":
    _crash_again_and_again(Home.from_environment(), sys.argv[1], float(sys.argv[2]))
