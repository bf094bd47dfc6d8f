from __future__ import annotations

import random

import pytest

from reference_app.contract.api import FollowersPage
from reference_app.kit.ring import Ring
from reference_app.services.fanout import domain


@pytest.mark.parametrize("followers", [0, 1, 250, 251, 1000])
def test_a_page_is_cut_into_pieces_of_one_cache_each_and_nobody_is_left_out(followers: int) -> None:
    ring, users = Ring(["a", "b", "c"]), list(range(1, followers + 1))
    pieces = domain.chunks_by_node(ring, users)
    assert sorted(user for _, piece in pieces for user in piece) == users
    assert all(ring.node_of(user) == node for node, piece in pieces for user in piece)


@pytest.mark.parametrize(("users", "sizes"), [(250, [250]), (251, [126, 125]), (1000, [250] * 4), (501, [167] * 3)])
def test_pieces_are_as_equal_as_they_can_be(users: int, sizes: list[int]) -> None:
    pieces = domain.chunks_by_node(Ring(["a"]), range(users))
    assert [len(piece) for _, piece in pieces] == sizes


def test_small_fan_outs_go_first_and_among_alike_the_older() -> None:
    fan_outs = [(3, 10), (2, 11), (900, 1), (600, 5), (5000, 0)]
    shuffled = random.Random(1).sample(fan_outs, len(fan_outs))
    assert sorted(shuffled, key=lambda item: domain.turn(FollowersPage([], None, item[0]), item[1])) == [
        (3, 10),
        (2, 11),
        (900, 1),
        (600, 5),
        (5000, 0),
    ]
