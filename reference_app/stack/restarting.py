"""Automatic restarts: whether a cache that does not answer is restarted without anybody being asked. Off unless the decider says otherwise.

It believes the prober, and a prober that cannot connect takes a healthy cache for a dead one: in January 2014 Twitter's monitor restarted cache
shards that were only short of connections, and lost what they held.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reference_app.contract.profile import LAB, Profile
from reference_app.contract.topology import Component
from reference_app.kit import changes
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home
from reference_app.stack import errors
from reference_app.stack.control import Control
from reference_app.stack.questions import Answer

logger = logging.getLogger(__name__)
DECIDER = "automatic_restart"


@dataclass
class Policy:
    """Pure, but for what it remembers: since when each cache is silent, and when it was last restarted. Times are monotonic seconds."""

    profile: Profile = LAB
    silent_since: dict[str, float] = field(default_factory=dict)
    restarted_at: dict[str, float] = field(default_factory=dict)

    def due(self, silent: Mapping[str, bool], *, now: float) -> list[str]:
        """Caches to restart now, with the patience and the pause of a promotion."""
        self.silent_since = {name: self.silent_since.get(name, now) for name, is_silent in silent.items() if is_silent}
        return [name for name, since in self.silent_since.items() if now - since >= self.profile.promotion_after and self._may(name, now)]

    def restarted(self, name: str, *, now: float) -> None:
        """An attempt was made, whatever came of it."""
        self.restarted_at[name] = now

    def _may(self, name: str, now: float) -> bool:
        return now - self.restarted_at.get(name, float("-inf")) >= self.profile.promotion_every


class Restarts:
    """The policy on a lab, fed with the prober's answers."""

    def __init__(
        self, home: Home, deciders: Deciders, *, policy: Policy | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._home, self._deciders, self._policy, self._monotonic = home, deciders, policy or Policy(), monotonic
        self._silent: dict[str, bool] = {}

    def heard(self, component: Component, answer: Answer) -> None:
        """What a component answered just now."""
        if component.kind == "redis":
            self._silent[component.name] = not answer.ok

    async def consider(self) -> None:
        """Restart what is due, if the decider is on."""
        due = self._policy.due(self._silent, now=self._monotonic())
        for name in due if self._deciders.on(DECIDER) else ():
            self._policy.restarted(name, now=self._monotonic())
            try:
                await asyncio.to_thread(restart, self._home, name)
            except (errors.StackError, OSError) as error:
                logger.error("%s was not restarted: %s", name, error)  # noqa: TRY400 - its message says all
            else:
                logger.warning("%s did not answer and was restarted", name)


def restart(home: Home, name: str) -> None:
    """End it and start it again, and record that. Raises StackError."""
    control = Control(home)
    control.stop(name)
    control.start(name)
    changes.record(home, changes.Change(time.time(), "restart", name, "running", "restarted", DECIDER))
