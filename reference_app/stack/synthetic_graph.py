"""A follow graph with the shape of a public timeline service, for any number of users, replayable from its seed.

Follower counts have a Pareto tail, the accounts 1.. are planted celebrities, and account 1 is followed by a fifth of all users.
Sources of the exponent: Kwak et al., WWW 2010 (2.276); the Higgs sample of 2012 (2.271, KONECT).
"""

from __future__ import annotations

import itertools
import random

from reference_app.stack.graphs import Graph

TAIL_EXPONENT = 2.27
"""Of the density; the share of accounts with at least k followers falls with exponent 1.27."""
MEAN_FOLLOWEES = 35
STAR_SHARE, CELEBRITY_SHARE = 0.2, 0.1
"""Shares of all users that follow account 1, and each of the other celebrities. No other account reaches the latter."""
USERS_PER_CELEBRITY, CELEBRITIES_MAX = 500, 10
MIN_USERS = 20
_ACTIVITY_SIGMA = 0.5


class TooFewUsersError(Exception):
    """A world too small for celebrities."""


def generate(users: int, *, seed: int) -> Graph:
    """The graph of that many users. Raises TooFewUsersError below MIN_USERS."""
    if users < MIN_USERS:
        raise TooFewUsersError(f"a graph needs at least {MIN_USERS} users, {users} were asked for")
    rng = random.Random(seed)
    everyone = range(1, users + 1)
    activity = list(itertools.accumulate(rng.lognormvariate(0, _ACTIVITY_SIGMA) for _ in everyone))
    edges = [
        (follower, followee)
        for followee, count in zip(everyone, follower_counts(users, rng), strict=True)
        for follower in _followers(rng, everyone, activity, count, followee)
    ]
    return Graph(tuple(f"u{number}" for number in everyone), tuple(sorted(edges)))


def follower_counts(users: int, rng: random.Random) -> list[int]:
    """Followers of account 1, 2, ...: celebrities first, the others shuffled quantiles of the Pareto tail cut at the celebrities."""
    celebrities = [round(users * STAR_SHARE)] + [round(users * CELEBRITY_SHARE)] * min(users // USERS_PER_CELEBRITY, CELEBRITIES_MAX)
    others = users - len(celebrities)
    mean = (users * mean_followees(users) - sum(celebrities)) / others
    ordinary = _pareto_quantiles(others, mean=mean, top=users * CELEBRITY_SHARE)
    rng.shuffle(ordinary)
    return celebrities + ordinary


def mean_followees(users: int) -> float:
    """35, fewer where that would be more than a twentieth of all users."""
    return min(MEAN_FOLLOWEES, users / 20)


def _pareto_quantiles(count: int, *, mean: float, top: float) -> list[int]:
    """Evenly spaced quantiles of a Pareto distribution cut at `top`, with the lower end chosen by bisection so that the mean is right."""
    low, high = 0.01, top
    values: list[float] = []
    for _ in range(40):
        middle = (low + high) / 2
        values = [_quantile((i + 0.5) / count, bottom=middle, top=top) for i in range(count)]
        low, high = (middle, high) if sum(values) < mean * count else (low, middle)
    return [round(value) for value in values]


def _quantile(share: float, *, bottom: float, top: float) -> float:
    """The value that this share of accounts exceeds."""
    exponent = TAIL_EXPONENT - 1
    floor = top**-exponent
    return float((share * (bottom**-exponent - floor) + floor) ** (-1 / exponent))


def _followers(rng: random.Random, everyone: range, activity: list[float], count: int, followee: int) -> set[int]:
    """Distinct users but the followee, the active ones more often."""
    chosen: set[int] = set()
    while len(chosen) < count:
        chosen.update(rng.choices(everyone, cum_weights=activity, k=count - len(chosen)))
        chosen.discard(followee)
    return chosen
