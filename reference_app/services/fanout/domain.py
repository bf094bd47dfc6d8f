"""How a delivery is cut into pieces, and which goes first."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reference_app.contract.api import FollowersPage
from reference_app.kit.ring import Ring

CHUNK = 250
"""Timelines per script call, for which Redis does nothing else: about 0.3 ms."""
PAGE = 1000
"""Followers per page of the graph."""


def chunks_by_node(ring: Ring, user_ids: Sequence[int]) -> list[tuple[str, list[int]]]:
    """(cache, users) pieces of at most CHUNK users whose timelines are on that cache, as equal as they can be."""
    return [(node, chunk) for node, group in ring.by_node(user_ids).items() for chunk in _chunks(group)]


def _chunks(users: list[int]) -> list[list[int]]:
    if len(users) <= CHUNK:
        return [users]
    size = math.ceil(len(users) / math.ceil(len(users) / CHUNK))
    return [users[start : start + size] for start in range(0, len(users), size)]


def turn(first: FollowersPage, tweet_id: int) -> tuple[int, int]:
    """Sorts fan-outs: small ones first, by powers of two; among alike the older, because lists take at their head what comes in order."""
    return (first.count or 0).bit_length(), tweet_id
