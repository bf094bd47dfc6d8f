"""Automatic promotion: whether a dead primary is replaced without anybody being asked. Off unless the decider says otherwise.

Only a primary that refuses connections counts as dead: a paused or slow one may still answer, and must be fenced by somebody who knows.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from reference_app.contract.profile import LAB, Profile
from reference_app.contract.topology import Component, Lab
from reference_app.kit import roles
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home
from reference_app.stack import errors, promotion
from reference_app.stack.questions import Answer

logger = logging.getLogger(__name__)
DECIDER = "automatic_promotion"
MASS = 0.5
"""With this share of the shards down, or more, something bigger is wrong than any one of them: that is left to people."""


@dataclass
class Policy:
    """Pure, but for what it remembers: since when each primary refuses, and when a shard was last promoted. Times are monotonic seconds."""

    profile: Profile = LAB
    refusing_since: dict[str, float] = field(default_factory=dict)
    promoted_at: dict[str, float] = field(default_factory=dict)

    def due(self, refusing: Mapping[str, bool], replicated: Sequence[str], *, now: float) -> list[str]:
        """Replicated shards to promote now. `refusing` has every shard: whether its primary refuses connections."""
        self.refusing_since = {shard: self.refusing_since.get(shard, now) for shard, refuses in refusing.items() if refuses}
        if len(self.refusing_since) >= MASS * len(refusing):
            return []
        return [shard for shard in replicated if self._is_dead(shard, now) and self._may(shard, now)]

    def promoted(self, shard: str, *, now: float) -> None:
        """An attempt was made, whatever came of it."""
        self.promoted_at[shard] = now

    def _is_dead(self, shard: str, now: float) -> bool:
        return shard in self.refusing_since and now - self.refusing_since[shard] >= self.profile.promotion_after

    def _may(self, shard: str, now: float) -> bool:
        return now - self.promoted_at.get(shard, float("-inf")) >= self.profile.promotion_every


class Failover:
    """The policy on a lab, fed with the prober's answers."""

    def __init__(
        self, home: Home, lab: Lab, deciders: Deciders, *, policy: Policy | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._home, self._lab, self._deciders, self._policy, self._monotonic = home, lab, deciders, policy or Policy(), monotonic
        self._refused: dict[str, bool] = {}

    def heard(self, component: Component, answer: Answer) -> None:
        """What a component answered just now."""
        if component.kind == "mariadb":
            self._refused[component.name] = not answer.accepted

    async def consider(self) -> None:
        """Promote what is due, if the decider is on. A promotion that fails is logged, and tried again after the interval."""
        databases = self._lab.with_primaries(roles.read(self._home.roles_file)).kind("mariadb")
        refusing = {c.shard: self._refused.get(c.name, False) for c in databases if c.role == "primary"}
        due = self._policy.due(refusing, [c.shard for c in databases if c.role == "replica"], now=self._monotonic())
        for shard in due if self._deciders.on(DECIDER) else ():
            self._policy.promoted(shard, now=self._monotonic())
            try:
                done = await asyncio.to_thread(promotion.promote, self._home, shard, by=DECIDER, say=logger.info)
            except (errors.StackError, OSError) as error:
                logger.error("%s was not promoted: %s", shard, error)  # noqa: TRY400 - its message says all
            else:
                logger.warning("%s is the primary of %s now, after %.1f s", done.primary, shard, done.seconds)
