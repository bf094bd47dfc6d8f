"""Which instance of a group is called: of two drawn at random among those whose breaker is closed, the one with fewer calls under way (P2C).

Panic mode: when more than half of the instances are out, their breakers are not believed and all are called; so a group of one is always called.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Generic, TypeVar

from reference_app.kit.breaker import Breaker

T = TypeVar("T")


class Instance(Generic[T]):
    """`under_way` counts its calls; whoever makes them keeps it."""

    def __init__(self, client: T, breaker: Breaker) -> None:
        self.client, self.breaker, self.under_way = client, breaker, 0


class Balancer(Generic[T]):
    """At least one instance."""

    def __init__(self, instances: Sequence[Instance[T]], *, rng: random.Random | None = None) -> None:
        self.instances, self._rng = instances, rng or random.Random()

    def pick(self, *, but: Instance[T] | None = None) -> Instance[T]:
        """Its breaker waits for `success`, `failure` or `abandon`. Another than `but`, if there is one."""
        if len(self.instances) == 1:
            return self.instances[0]
        if but is None and not any([instance.breaker.is_open for instance in self.instances]):  # noqa: C419 - a generator costs twice as much
            return self._less_loaded(self.instances)
        chosen = self._less_loaded(self._candidates(but))
        chosen.breaker.allow()
        return chosen

    def _candidates(self, but: Instance[T] | None) -> Sequence[Instance[T]]:
        closed = [instance for instance in self.instances if instance.breaker.ready]
        candidates = closed if 2 * len(closed) >= len(self.instances) else self.instances
        return [instance for instance in candidates if instance is not but] or candidates

    def _less_loaded(self, candidates: Sequence[Instance[T]]) -> Instance[T]:
        """Of one drawn and its neighbour: of two instances these are both."""
        drawn = int(self._rng.random() * len(candidates))
        one, other = candidates[drawn], candidates[drawn - 1]
        return other if other.under_way < one.under_way else one
