"""What share of users, keys or requests the components own that a fault is aimed at: how far it can reach at most. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from chaos.targets import Rings
from reference_app.contract.topology import Component
from reference_app.kit.ring import Ring

Of = Literal["users", "keys", "requests", "nothing"]
SAMPLED = 20_000
"""Keys by which the share of a cache is told: +-0.5 %."""


@dataclass(frozen=True)
class Share:
    """What a component owns of what its group holds or does, 0 to 1. A replica owns nothing while its primary answers; a tool never does."""

    component: str
    of: Of
    share: float


def shares(among: Sequence[Component], hit: Sequence[str], *, rings: Rings, users: int | None = None) -> tuple[Share, ...]:
    """Of each that is hit, in the lab's order. `users` have ids 1 to that number; None when nobody was seeded yet."""
    return tuple(_share(component, among, rings, users or SAMPLED) for component in among if component.name in hit)


def largest(owned: Sequence[Share], among: Sequence[Component]) -> float:
    """The share of the group of which they own most: other groups hold the same users' data once more."""
    group = {component.name: component.group for component in among}
    sums: dict[str, float] = defaultdict(float)
    for share in owned:
        sums[group[share.component]] += share.share
    return round(min(1.0, max(sums.values(), default=0.0)), 4)


def _share(component: Component, among: Sequence[Component], rings: Rings, users: int) -> Share:
    if component.tool or component.role == "replica":
        return Share(component.name, "nothing", 0.0)
    of, ids = _HELD.get(component.group, ("requests", None))
    if component.kind == "redis" and ids is not None:
        ring = rings.get(component.group) or [other.name for other in among if other.group == component.group]
        return Share(component.name, of, _of_ring(component.name, ring, ids(users)))
    like = [other for other in among if other.group == component.group and other.role == component.role]
    return Share(component.name, of, round(1 / len(like), 4))


def _of_ring(name: str, ring: Sequence[str], ids: Sequence[int]) -> float:
    held = Ring(ring).by_node(ids)
    return round(len(held.get(name, [])) / len(ids), 4)


_HELD: dict[str, tuple[Of, Callable[[int], Sequence[int]] | None]] = {
    "timeline-cache": ("users", lambda users: range(1, users + 1)),
    "tweet-cache": ("keys", lambda _: range(SAMPLED)),
    "graph-db": ("users", None),
    "users-db": ("users", None),
    "tweets-db": ("keys", None),
    "keyvalue-db": ("keys", None),
    "events": ("keys", None),
}
"""What groups hold, and ids of it for those that place by a ring; other groups do requests, each instance its part."""
