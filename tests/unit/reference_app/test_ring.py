from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
import uhashring

from reference_app.kit import ring

NAMES = ["timeline-cache-0", "timeline-cache-1", "timeline-cache-2"]
KEYS = [*range(1, 3000), ring.REMEMBERED - 1, ring.REMEMBERED, *(2_100_000_000_000_000_000 + 77_777 * n for n in range(1000))]


def disagreements(tested: ring.Ring, keys: Iterable[int]) -> list[int]:
    """Keys that the ring places elsewhere than uhashring does, one by one or many at once, at first or when it remembers them."""
    reference = uhashring.HashRing(list(tested.nodes), hash_fn="ketama")
    found = {key: node for _ in range(2) for node, held in tested.by_node(keys).items() for key in held}
    return [key for key in keys if not reference.get_node(key) == tested.node_of(key) == found[key]]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_key_is_where_uhashring_has_it(count: int) -> None:
    assert disagreements(ring.Ring(NAMES[:count]), KEYS) == []


def test_a_ring_that_disagrees_with_uhashring_is_found_out() -> None:
    shifted, forgetful = ring.Ring(NAMES), ring.Ring(NAMES)
    shifted._positions = [position + (1 << 20) for position in shifted._positions]
    forgetful._placed[7] = 1 + (forgetful._number(7) + 1) % 3
    assert 0 < len(disagreements(shifted, KEYS)) < len(KEYS)
    assert disagreements(forgetful, KEYS) == [7]


def test_many_keys_are_placed_at_once_and_none_is_lost() -> None:
    placed = ring.Ring(NAMES).by_node(KEYS)
    assert sorted(key for held in placed.values() for key in held) == sorted(KEYS)
    assert ring.Ring(NAMES).by_node([]) == {}


def test_rings_over_the_same_names_agree() -> None:
    one, other = ring.Ring(NAMES), ring.Ring(NAMES)
    assert [one.node_of(user) for user in range(500)] == [other.node_of(user) for user in range(500)]


def test_placement_never_changes_between_releases() -> None:
    small = ring.Ring(["timeline-cache-0", "timeline-cache-1"])
    assert [small.node_of(user)[-1] for user in range(1, 13)] == list("000110001000")


def test_every_node_gets_a_fair_share() -> None:
    share = Counter(ring.Ring(["a", "b", "c", "d"]).node_of(user) for user in range(1200))
    assert all(180 < held < 420 for held in share.values())


def test_losing_a_node_moves_only_its_own_keys() -> None:
    before, after = ring.Ring(["a", "b", "c"]), ring.Ring(["a", "b"])
    assert all(after.node_of(user) == before.node_of(user) for user in range(1000) if before.node_of(user) != "c")


@pytest.mark.parametrize(("nodes", "complaint"), [([], "at least one node"), ([f"cache-{n}" for n in range(256)], "room for 255")])
def test_a_ring_without_nodes_or_with_too_many_is_refused(nodes: list[str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ring.Ring(nodes)
