"""Which cache holds a key: a ketama ring (libketama, 2007; as twemproxy placed timelines), so that a lost node moves only its own keys."""

from __future__ import annotations

from collections.abc import Sequence

import uhashring


class Ring:
    """Places keys on nodes by the nodes' names; every process that knows the same names agrees."""

    def __init__(self, nodes: Sequence[str]) -> None:
        if not nodes:
            raise ValueError("a ring needs at least one node: this lab has no component of that group")
        self._ring = uhashring.HashRing(list(nodes), hash_fn="ketama")

    def node_of(self, key: int) -> str:
        """Name of the node that holds the key."""
        return str(self._ring.get_node(key))
