"""Independent ejection: a process that fails to reach a node leaves it out of its own ring for a while, and looks for its keys on the others.

twemproxy and the clients of its time did so. Nobody agrees on who is out: a key is on several nodes then, and a node that comes back has what
was true when it went. Off unless a decider says otherwise.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from reference_app.contract.profile import LAB, Profile
from reference_app.kit.ring import Ring


class Ejection:
    """Of the nodes of one group, as one process sees them."""

    def __init__(self, *, enabled: Callable[[], bool], profile: Profile = LAB, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._enabled, self._profile, self._monotonic = enabled, profile, monotonic
        self._failures: Counter[str] = Counter()
        self._back_at: dict[str, float] = {}
        self._rings: dict[tuple[str, ...], Ring] = {}

    def heard(self, node: str, *, ok: bool) -> None:
        """How a call of the node went."""
        if ok:
            self._failures.pop(node, None)
            return
        self._failures[node] += 1
        if self._failures[node] >= self._profile.ejection_failures:
            self._back_at[node] = self._monotonic() + self._profile.ejection

    def without(self, ring: Ring) -> Ring:
        """The ring without who is out; all of it when that would be everybody."""
        if not self._back_at or not self._enabled():
            return ring
        now = self._monotonic()
        nodes = tuple(node for node in ring.nodes if self._back_at.get(node, now) <= now)
        if not nodes or nodes == ring.nodes:
            return ring
        if nodes not in self._rings:
            self._rings[nodes] = Ring(nodes)
        return self._rings[nodes]
