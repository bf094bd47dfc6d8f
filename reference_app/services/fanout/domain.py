"""How a delivery is cut into pieces."""

from __future__ import annotations

from collections.abc import Sequence

from reference_app.kit.ring import Ring

CHUNK = 200
"""Timelines per script call: 100-250 keep one call below a millisecond or so, which Redis is blocked for."""
PAGE = 1000
"""Followers per page of the graph."""


def chunks_by_node(ring: Ring, user_ids: Sequence[int]) -> list[tuple[str, list[int]]]:
    """(cache, users) pieces of at most CHUNK users whose timelines are on that cache."""
    groups: dict[str, list[int]] = {}
    for user_id in user_ids:
        groups.setdefault(ring.node_of(user_id), []).append(user_id)
    return [(node, group[start : start + CHUNK]) for node, group in groups.items() for start in range(0, len(group), CHUNK)]
