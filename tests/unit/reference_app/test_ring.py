from __future__ import annotations

from collections import Counter

import pytest

from reference_app.kit import ring


def test_rings_over_the_same_names_agree() -> None:
    names = ["timeline-cache-0", "timeline-cache-1"]
    one, other = ring.Ring(names), ring.Ring(names)
    assert [one.node_of(user) for user in range(500)] == [other.node_of(user) for user in range(500)]


def test_placement_never_changes_between_releases() -> None:
    small = ring.Ring(["timeline-cache-0", "timeline-cache-1"])
    assert [small.node_of(user)[-1] for user in range(1, 13)] == list("000110001000")


def test_every_node_gets_a_fair_share() -> None:
    share = Counter(ring.Ring(["a", "b", "c", "d"]).node_of(user) for user in range(4000))
    assert all(700 < held < 1300 for held in share.values())


def test_losing_a_node_moves_only_its_own_keys() -> None:
    before, after = ring.Ring(["a", "b", "c"]), ring.Ring(["a", "b"])
    assert all(after.node_of(user) == before.node_of(user) for user in range(1000) if before.node_of(user) != "c")


def test_a_ring_without_nodes_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one node"):
        ring.Ring([])
