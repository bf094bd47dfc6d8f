"""Who acts: most users do nothing, and of the others a few do most of it."""

from __future__ import annotations

import bisect
import math
import random
from collections.abc import Iterable
from itertools import accumulate


def active(size: int, *, share: float, rng: random.Random) -> list[int]:
    """Those of the users 1..size who do anything: this share of them, at least one."""
    return sorted(rng.sample(range(1, size + 1), max(1, math.ceil(size * share))))


class Population:
    """Users of whom the one of rank r acts with a probability proportional to r ** -exponent (Zipf).

    Which user has which rank is drawn from `ranking`: rank says nothing about id or number of followers.
    """

    def __init__(self, users: Iterable[int], *, exponent: float, ranking: random.Random) -> None:
        self.users = list(users)
        ranking.shuffle(self.users)
        self._cumulative = list(accumulate(rank**-exponent for rank in range(1, len(self.users) + 1)))

    def pick(self, rng: random.Random) -> int:
        """The user who acts next."""
        drawn = rng.random() * self._cumulative[-1]
        return self.users[min(bisect.bisect_right(self._cumulative, drawn), len(self.users) - 1)]
