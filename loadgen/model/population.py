"""Who acts: a few users do most of it."""

from __future__ import annotations

import bisect
import random
from itertools import accumulate


class Population:
    """Users 1..size, of whom the one of rank r acts with a probability proportional to r ** -exponent (Zipf).

    Which user has which rank is drawn from `ranking`: rank says nothing about id or number of followers.
    """

    def __init__(self, size: int, *, exponent: float, ranking: random.Random) -> None:
        self.users = list(range(1, size + 1))
        ranking.shuffle(self.users)
        self._cumulative = list(accumulate((rank**-exponent for rank in range(1, size + 1)), initial=0.0))[1:]

    def pick(self, rng: random.Random) -> int:
        """The user who acts next."""
        drawn = rng.random() * self._cumulative[-1]
        return self.users[min(bisect.bisect_right(self._cumulative, drawn), len(self.users) - 1)]
