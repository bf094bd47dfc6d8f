"""Rules of the follow graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from reference_app.contract import storage
from reference_app.contract.api import FollowersPage
from reference_app.kit import errors

FOLLOWEES_MAX = 5000
FOLLOWERS_PAGE_MAX = 5000


class Edge(NamedTuple):
    follower_id: int
    followee_id: int


class State(NamedTuple):
    """Of an edge, as its forward row has it: the higher version is the newer one."""

    version: int
    active: bool


def check_pair(one: int, other: int, *, verb: str) -> None:
    """Raises AppError invalid when a user is to do it to themselves."""
    if one == other:
        raise errors.AppError("invalid", f"nobody can {verb} themselves")


def blocked() -> errors.AppError:
    """What a follow is answered when either blocks the other; it does not tell who."""
    return errors.AppError("forbidden", "one of the two blocks the other")


def followers_page(ids: Sequence[int], *, limit: int, count: int | None) -> FollowersPage:
    """The page that a query for `limit` ids gave."""
    return FollowersPage(list(ids), ids[-1] if len(ids) == limit else None, count)


def by_shard(user_ids: Iterable[int], shards: int) -> Mapping[int, list[int]]:
    """The users by the index of their shard."""
    groups: dict[int, list[int]] = defaultdict(list)
    for user_id in user_ids:
        groups[storage.graph_shard(user_id, shards)].append(user_id)
    return groups
