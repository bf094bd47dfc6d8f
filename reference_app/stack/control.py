"""Acts on the processes of a lab: who runs, start, stop, kill, pause, heal. Works, by the marks in /proc, when supervisord is dead too."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from reference_app.contract.topology import Component
from reference_app.kit.home import Home
from reference_app.stack import marks, program, questions, readiness, supervision
from reference_app.stack.errors import NotReadyError, NotRunningError, StackError
from reference_app.stack.marks import Marked
from reference_app.stack.supervision import Reported

__all__ = ["Control", "NotReadyError", "NotRunningError", "ProcessState", "StackError", "State"]

State = Literal["running", "starting", "stopped", "paused", "exited", "missing"]

_POLL_S = 0.02
_STOP_S, _GONE_S = 10.0, 5.0
_PATIENCE_S = 1.0
"""For an answer; longer than the prober's, because nobody is paged here and a busy machine is no fault."""
_STATES: dict[str, State] = {
    "RUNNING": "running", "STARTING": "starting", "BACKOFF": "exited", "EXITED": "exited", "FATAL": "exited",
    "STOPPING": "stopped", "STOPPED": "stopped",
}  # fmt: skip


@dataclass(frozen=True)
class ProcessState:
    """`exited`: it died, supervisord may be about to restart it. `stopped`: it is held down. `missing`: nobody knows of it."""

    name: str
    kind: str
    state: State
    pid: int | None
    port: int
    uptime_s: float | None
    pss_mib: float | None


class Control:
    """Synchronous; instances may be shared by threads. Unknown names raise KeyError."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.lab = home.lab()
        self._supervisor = supervision.Supervisor(self.lab)

    def supervised(self) -> bool:
        """True while the lab's supervisord answers."""
        return self._supervisor.states() is not None

    def states(self, *, memory: bool = False) -> list[ProcessState]:
        """Every component's process; `memory` also adds up proportional set sizes, which costs some 10 ms."""
        reported = self._supervisor.states()
        alive = marks.components(self.home.path)
        sizes = marks.pss_mib(self.home.path) if memory else {}
        return [_process_state(c, reported, alive.get(c.name), sizes.get(c.name)) for c in self.lab.components]

    def start(self, name: str) -> None:
        """Start it; nothing happens when it runs. Spawns it directly when supervisord is dead."""
        item = self._program(name)
        self._await(lambda: self._reported(name) != "STOPPING", name, "stop", _STOP_S)
        if not self._supervisor.start(name) and self._leader(name) is None:
            program.spawn(self.home, name, item.argv)

    def stop(self, name: str) -> None:
        """End it gracefully and hold it down; returns when it is gone."""
        self.stop_all([name])

    def stop_all(self, names: Sequence[str]) -> None:
        """`stop` of several at once."""
        for name in names:
            leader = self._leader(name)
            self._signal(leader, signal.SIGCONT)
            if not self._supervisor.stop(name):
                self._signal(leader, signal.SIGTERM)
        for name in names:
            self._await(partial(self._held, name), name, "stop", _STOP_S)

    def shut_down(self) -> None:
        """End supervisord and what it still runs. Nothing happens when it is dead."""
        self._supervisor.shut_down()
        self._await(lambda: program.SUPERVISORD not in marks.components(self.home.path), program.SUPERVISORD, "end", _STOP_S)

    def kill(self, name: str) -> None:
        """SIGKILL to the process group: a crash. supervisord restarts it."""
        self._signal(self._running(name), signal.SIGKILL)

    def kill_and_hold(self, name: str) -> None:
        """A crash that lasts until `start`: frozen first, so that it ends by SIGKILL and not by the polite signal of the supervisor."""
        leader = self._running(name)
        self._signal(leader, signal.SIGSTOP)
        self._supervisor.stop(name)
        self._signal(leader, signal.SIGKILL)
        self._await(lambda: self._dead(name), name, "die", _GONE_S)

    def pause(self, name: str) -> None:
        """SIGSTOP to the process group: it accepts connections and never answers."""
        self._signal(self._running(name), signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """SIGCONT to the process group."""
        self._signal(self._running(name), signal.SIGCONT)

    def runs(self, name: str) -> bool:
        """Whether its process is there, in whatever state."""
        return self._leader(name) is not None

    def wait_ready(self, names: Sequence[str], timeout_s: float) -> None:
        """Until each answers a real question. Raises NotReadyError naming who does not, early when a process keeps dying."""
        asked = [self.lab.component(name) for name in names]
        asyncio.run(readiness.wait(asked, self._ask, self._exited, timeout_s=timeout_s))

    def unanswered(self) -> dict[str, str]:
        """Component -> what was wrong, for those that do not answer their question now."""
        return asyncio.run(readiness.unanswered(self.lab.components, self._ask))

    def heal(self, timeout_s: float = 15) -> list[str]:
        """Resume and start whatever does not run, then wait until all answer; returns the names that had to be healed."""
        sick = [s for s in self.states() if s.state not in ("running", "starting")]
        for process in sick:
            if process.state == "paused":
                self.resume(process.name)
            else:
                self.start(process.name)
        self.wait_ready([c.name for c in self.lab.components], timeout_s)
        return [process.name for process in sick]

    async def _ask(self, component: Component) -> questions.Answer:
        return await questions.ask(component, _PATIENCE_S)

    def _exited(self) -> set[str]:
        return {s.name for s in self.states() if s.state == "exited"}

    def _program(self, name: str) -> program.Program:
        self.lab.component(name)
        return next(p for p in program.load(self.home) if p.name == name)

    def _leader(self, name: str) -> Marked | None:
        return marks.components(self.home.path).get(self.lab.component(name).name)

    def _running(self, name: str) -> Marked:
        leader = self._leader(name)
        if leader is None:
            raise NotRunningError(f"{name} does not run, so nothing was done to it: start it with `failwhale up`")
        return leader

    def _reported(self, name: str) -> str | None:
        reported = (self._supervisor.states() or {}).get(name)
        return reported.state if reported else None

    def _down(self, name: str) -> bool:
        # Asking supervisord also makes it notice the death at once instead of at its next tick.
        return self._reported(name) in (None, "STOPPED", "EXITED", "FATAL") and self._leader(name) is None

    def _held(self, name: str) -> bool:
        """Down until `start`. Who had ended by itself could not be stopped, and supervisord starts it again: then it can."""
        if self._reported(name) in (None, "STOPPED", "FATAL"):
            return self._leader(name) is None
        self._supervisor.stop(name)
        return False

    def _dead(self, name: str) -> bool:
        """Down; whoever was restarted between the two signals is killed as well."""
        if self._down(name):
            return True
        self._signal(self._leader(name), signal.SIGKILL)
        return False

    def _await(self, condition: Callable[[], bool], name: str, verb: str, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() >= deadline:
                raise StackError(f"{name} did not {verb} within {timeout_s:g} s: see `failwhale logs {name}`")
            time.sleep(_POLL_S)

    def _signal(self, leader: Marked | None, number: signal.Signals) -> None:
        """Signal a process group; nothing happens when it is gone."""
        if leader is None:
            return
        try:
            os.killpg(leader.group, number)
        except ProcessLookupError:
            return


def _process_state(component: Component, reported: dict[str, Reported] | None, leader: Marked | None, pss: float | None) -> ProcessState:
    return ProcessState(
        name=component.name,
        kind=component.kind,
        state=_state((reported or {}).get(component.name), leader),
        pid=leader.pid if leader else None,
        port=component.port,
        uptime_s=round(marks.uptime_s(leader), 1) if leader else None,
        pss_mib=round(pss, 1) if pss is not None else None,
    )


def _state(reported: Reported | None, leader: Marked | None) -> State:
    if leader is not None and leader.stopped:
        return "paused"
    if reported is not None and (leader is None or reported.state != "STOPPED"):
        state = _STATES.get(reported.state, "missing")
        return "exited" if state in ("running", "starting") and leader is None else state
    return "running" if leader is not None else "missing"
