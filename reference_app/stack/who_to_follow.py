"""Whom to follow: who is followed by most of those whom one follows, and not by oneself. Bounded: some of one's friends, some of theirs. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reference_app.contract import keyvalue
from reference_app.stack.graphs import Ids

FRIENDS, THEIR_FRIENDS, SUGGESTED = 16, 16, 20
"""Followees of a user that are looked at, followees of each of them, and suggestions that are kept."""
_PATHS = FRIENDS * THEIR_FRIENDS
"""Common friends at most."""
_USERS_AT_ONCE = 4000
"""A million paths of two steps: 8 MB."""


def rows(edges: Ids, *, generation: int) -> list[tuple[str, str]]:
    """(key, value) of contract.keyvalue.WHO_TO_FOLLOW for everybody who gets a suggestion, and the generation. Edges as in graphs.Graph."""
    by_user = [(str(user), ",".join(map(str, others))) for user, others in suggestions(edges)]
    return sorted([(keyvalue.GENERATION_KEY, str(generation)), *by_user])


def suggestions(edges: Ids) -> Iterator[tuple[int, list[int]]]:
    """(user, others, best first): more common friends first, then the lower id."""
    if not len(edges):
        return
    users = int(edges.max()) + 1
    first = np.searchsorted(edges[:, 0], np.arange(users + 1))
    known = edges[:, 0] * users + edges[:, 1]
    for begin in range(0, users, _USERS_AT_ONCE):
        block = np.arange(begin, min(begin + _USERS_AT_ONCE, users))
        yield from _of_block(block, edges[:, 1], first, known, users)


def _of_block(block: Ids, followees: Ids, first: Ids, known: Ids, users: int) -> Iterator[tuple[int, list[int]]]:
    """`known` has follower * users + followee of every edge, in order."""
    friend_of, friends = _step(block, block, followees, first, FRIENDS)
    user_of, found = _step(friend_of, friends, followees, first, THEIR_FRIENDS)
    paths = np.sort((user_of * users + found)[user_of != found])
    runs = _runs(paths)
    pairs, common = paths[runs[:-1]], np.diff(runs)
    strangers = ~_among(pairs, known)
    user, other = np.divmod(pairs[strangers], users)
    # One number for (user, fewest common friends last, other): a sort of those takes a third of a lexsort.
    ranked = np.sort((user * _PATHS + _PATHS - common[strangers]) * users + other)
    user, other = ranked // users // _PATHS, ranked % users
    for start, end in itertools.pairwise(_runs(user).tolist()):
        yield int(user[start]), other[start : min(end, start + SUGGESTED)].tolist()


def _step(origins: Ids, at: Ids, followees: Ids, first: Ids, limit: int) -> tuple[Ids, Ids]:
    """(origin, followee) for at most `limit` followees, evenly spread over them, of each user that is stood at."""
    degrees = (first[at + 1] - first[at])[:, None]
    number = np.arange(limit)
    place = np.where(degrees > limit, number * degrees // limit, number)
    walked = number < degrees
    return np.broadcast_to(origins[:, None], place.shape)[walked], followees[(first[at][:, None] + place)[walked]]


def _runs(ordered: Ids) -> Ids:
    """Where each run of equal values begins, and the end."""
    return np.append(np.flatnonzero(np.diff(ordered, prepend=-1)), len(ordered))


def _among(values: Ids, ordered: Ids) -> NDArray[np.bool_]:
    places = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    found: NDArray[np.bool_] = ordered[places] == values
    return found
