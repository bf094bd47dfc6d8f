"""A follow graph with the shape of a public timeline service, for any number of users, replayable from its seed.

Follower counts have a Pareto tail, the accounts 1.. are planted celebrities, and account 1 is followed by a fifth of all users.
Sources of the exponent: Kwak et al., WWW 2010 (2.276); the Higgs sample of 2012 (2.271, KONECT).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reference_app.stack.graphs import Graph, Ids, distinct

TAIL_EXPONENT = 2.27
"""Of the density; the share of accounts with at least k followers falls with exponent 1.27."""
MEAN_FOLLOWEES = 35
STAR_SHARE, CELEBRITY_SHARE = 0.2, 0.1
"""Shares of all users that follow account 1, and each of the other celebrities. No other account reaches the latter."""
USERS_PER_CELEBRITY, CELEBRITIES_MAX = 500, 10
MIN_USERS = 20
DENSEST = 1 / 20
"""Mean followees as a share of all users, at most: ordinary accounts stay ordinary."""
_ACTIVITY_SIGMA = 0.5


class ImpossibleGraphError(Exception):
    """No graph of this shape has so few users, or that many follows; the message says what is possible."""


def generate(users: int, *, seed: int, edges: int | None = None) -> Graph:
    """The graph of that many users, with about that many edges (by default 35 for each user). Raises ImpossibleGraphError."""
    if users < MIN_USERS:
        raise ImpossibleGraphError(f"a graph needs at least {MIN_USERS} users, {users} were asked for")
    rng = np.random.default_rng(seed)
    counts = follower_counts(users, mean_followees(users) if edges is None else _mean(users, edges), rng)
    return Graph(tuple(f"u{number}" for number in range(1, users + 1)), _edges(counts, rng))


def mean_followees(users: int) -> float:
    """35, fewer where that would be more than a twentieth of all users."""
    return min(MEAN_FOLLOWEES, users * DENSEST)


def follower_counts(users: int, mean: float, rng: np.random.Generator) -> Ids:
    """Followers of account 1, 2, ...: celebrities first, the others shuffled quantiles of the Pareto tail cut at the celebrities."""
    celebrities = _celebrities(users)
    others = users - len(celebrities)
    ordinary = _pareto_quantiles(others, mean=(users * mean - sum(celebrities)) / others, top=users * CELEBRITY_SHARE)
    return np.concatenate((np.array(celebrities, dtype=np.int64), rng.permutation(ordinary)))


def _celebrities(users: int) -> list[int]:
    """Their follower counts."""
    return [round(users * STAR_SHARE)] + [round(users * CELEBRITY_SHARE)] * min(users // USERS_PER_CELEBRITY, CELEBRITIES_MAX)


def _mean(users: int, edges: int) -> float:
    least, most = 2 * sum(_celebrities(users)), round(users * users * DENSEST)
    if not least <= edges <= most:
        raise ImpossibleGraphError(f"{users:,} users can have {least:,} to {most:,} follows, {edges:,} were asked for")
    return edges / users


def _pareto_quantiles(count: int, *, mean: float, top: float) -> Ids:
    """Evenly spaced quantiles of a Pareto distribution cut at `top`, with the lower end chosen by bisection so that the mean is right."""
    low, high = 0.01, top
    shares = (np.arange(count) + 0.5) / count
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _quantiles(shares, bottom=middle, top=top).mean() < mean else (low, middle)
    return np.rint(_quantiles(shares, bottom=low, top=top)).astype(np.int64)


def _quantiles(shares: NDArray[np.float64], *, bottom: float, top: float) -> NDArray[np.float64]:
    """The values that these shares of accounts exceed."""
    exponent = TAIL_EXPONENT - 1
    floor = top**-exponent
    values: NDArray[np.float64] = (shares * (bottom**-exponent - floor) + floor) ** (-1 / exponent)
    return values


def _edges(counts: Ids, rng: np.random.Generator) -> Ids:
    """As many distinct followers for account 1, 2, ... as `counts` says, none of them itself, the active users more often."""
    users = len(counts)
    activity = np.cumsum(rng.lognormal(0, _ACTIVITY_SIGMA, users))
    edges, missing = np.empty((0, 2), dtype=np.int64), counts
    while missing.any():
        followees = np.repeat(np.arange(1, users + 1), missing)
        followers = np.searchsorted(activity, rng.random(len(followees)) * activity[-1], side="right") + 1
        drawn = np.column_stack((followers, followees))[followers != followees]
        edges = distinct(np.concatenate((edges, drawn)))
        missing = counts - np.bincount(edges[:, 1], minlength=users + 1)[1:]
    return edges
