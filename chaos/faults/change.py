"""Changes that people make: restarts, one after the other or all at once, and a service deployed with a configuration that is wrong."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import msgspec

from chaos import events
from chaos.faults import exposition
from chaos.faults.base import ALIVE, READY_SECONDS, NotApplicableError, OnComponent, bring_back, require_absent, state_of
from reference_app.contract import metrics, topology
from reference_app.kit import files, settings
from reference_app.kit.home import Home
from reference_app.stack import agents
from reference_app.stack.control import Control
from reference_app.stack.errors import StackError

LONGEST_PAUSE_SECONDS, POLL_SECONDS = 30.0, 0.05
WITH_DATABASES = tuple(group for group in ("tweets", "users", "graph") if f"{group}-db" in topology.SERVICE_EDGES[group])
"""Services whose configuration speaks of databases (kit.settings)."""


class Restart(msgspec.Struct, frozen=True, tag="restart"):
    """Each component is ended gracefully and started again: all at once, or the next one `pause_s` after the last one was ready.

    An agent does it, and ends when it is done, or when one is not ready in time: then the rest is left alone, as a careful deploy does.
    """

    event: ClassVar[events.Name] = "injected"
    engine: ClassVar[str] = "supervisord"
    momentary: ClassVar[bool] = True

    components: tuple[str, ...]
    pause_s: float = 2.0
    at_once: bool = False
    sham: bool = False

    @property
    def kind(self) -> str:
        return "restart_at_once" if self.at_once else "rolling_restart"

    @property
    def agent(self) -> str:
        return "restart"

    def available(self) -> None:
        """It asks the supervisor, as everybody does."""

    def check(self, home: Home) -> None:
        if not 0 <= self.pause_s <= LONGEST_PAUSE_SECONDS:
            raise NotApplicableError(f"pause_s is {self.pause_s:g}: it has to be between 0 and {LONGEST_PAUSE_SECONDS:g}")
        if not self.components:
            raise NotApplicableError("a restart needs at least one component")
        for component in self.components:
            if (state := state_of(home, component)) not in ALIVE:
                raise NotApplicableError(f"{component} is {state}, not running: `failwhale up` repairs the lab")
        require_absent(self, home)

    def apply(self, home: Home) -> None:
        _done_file(home).unlink(missing_ok=True)
        how = "nobody" if self.sham else "all" if self.at_once else "each"
        agents.start(home, self.agent, [sys.executable, "-m", "chaos.faults.change", how, str(self.pause_s), *self.components])

    def undo(self, home: Home) -> None:
        """Who was told to end still answers for a moment, and nobody starts it again where the supervisor is dead: so it ends first."""
        agents.end(home, self.agent)
        for component in self.components:
            if _took(home).get(component, 0.0) is None:
                Control(home).stop(component)
            bring_back(home, component)

    def in_effect(self, home: Home) -> bool:
        return agents.running(home, self.agent)

    def measured(self, home: Home) -> dict[str, float]:
        """How many were restarted so far, and the longest time that one was not ready."""
        took = [seconds for seconds in _took(home).values() if seconds is not None]
        return {"restarted": float(len(took)), "longest_s": max(took, default=0.0)}


class BadConfig(OnComponent, frozen=True, tag="bad_config"):
    """A deploy: the service is restarted with a time limit of its statements that is far too short, as when seconds are taken for milliseconds.

    One that refuses to start with it (decider configuration_guard) is down, and nobody tries again.
    """

    engine: ClassVar[str] = "configuration file"

    sql_timeout_ms: float = 1.0

    def check(self, home: Home) -> None:
        if not 0 < self.sql_timeout_ms <= 1000 * settings.DEFAULTS.sql_timeout:
            raise NotApplicableError(f"sql_timeout_ms is {self.sql_timeout_ms:g}: it has to be between 0 and what it is without the fault")
        super().check(home)
        if (group := home.lab().component(self.component).group) not in WITH_DATABASES:
            raise NotApplicableError(
                f"{self.component} is a {group}, whose configuration names no database; try one of {', '.join(WITH_DATABASES)}"
            )
        require_absent(self, home)

    def apply(self, home: Home) -> None:
        """A sham configures what is in force anyway, and restarts nothing."""
        told = settings.DEFAULTS if self.sham else settings.Configuration(sql_timeout=self.sql_timeout_ms / 1000)
        files.write_json(home.configuration_file(self.component), told, durable=True)
        if settings.why_refused(home, told):
            _restart_in_vain(home, self.component)
        elif not self.sham:
            _restart(home, [self.component])

    def undo(self, home: Home) -> None:
        """The file goes last: while it is there, whoever takes the record up again stops the service that has read it."""
        if self.in_effect(home):
            if not self.sham:
                Control(home).stop(self.component)
            files.remove_durably(home.configuration_file(self.component))
        bring_back(home, self.component)

    def in_effect(self, home: Home) -> bool:
        return home.configuration_file(self.component).exists()

    def measured(self, home: Home) -> dict[str, float]:
        """Statements that the service gave up since it was deployed; of one that refused to start that it has no process."""
        if not Control(home).runs(self.component):
            return {"processes": 0.0}
        lost = exposition.total(home.lab().component(self.component), f"{metrics.DB_CLIENT.name}_count", outcome="timeout")
        return {"statements_given_up": lost}


def _restart(home: Home, components: Sequence[str]) -> float:
    """Seconds until all of them were ready again. Raises NotReadyError."""
    control, began = Control(home), time.monotonic()
    control.stop_all(components)
    for component in components:
        control.start(component)
    control.wait_ready(components, READY_SECONDS)
    return time.monotonic() - began


def _restart_in_vain(home: Home, component: str) -> None:
    """Started once and, when it has ended, held down: what refuses its configuration refuses it again. Raises StackError when it goes on."""
    control = Control(home)
    control.stop(component)
    control.start(component)
    for reached in (lambda: control.runs(component), lambda: not control.runs(component)):
        _await(reached, component)
    control.stop(component)


def _await(reached: Callable[[], bool], component: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not reached():
        if time.monotonic() >= deadline:
            raise StackError(f"{component} did not refuse its configuration within {READY_SECONDS:g} s: see `failwhale logs {component}`")
        time.sleep(POLL_SECONDS)


def _be_agent(home: Home, how: str, pause_s: float, components: Sequence[str]) -> None:
    batches: dict[str, list[list[str]]] = {"nobody": [], "all": [list(components)], "each": [[component] for component in components]}
    for batch in batches[how]:
        files.write_json(_done_file(home), _took(home) | dict.fromkeys(batch))
        seconds = _restart(home, batch)
        files.write_json(_done_file(home), _took(home) | dict.fromkeys(batch, round(seconds, 3)))
        time.sleep(pause_s)


def _took(home: Home) -> dict[str, float | None]:
    try:
        found: dict[str, float | None] = json.loads(_done_file(home).read_text())
    except FileNotFoundError:
        return {}
    return found


def _done_file(home: Home) -> Path:
    """Component -> seconds until it was ready, of those that were restarted; null while one is."""
    return home.chaos / "restarted.json"


if __name__ == "__main__":
    _be_agent(Home.from_environment(), sys.argv[1], float(sys.argv[2]), sys.argv[3:])
