from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from reference_app.contract import keyvalue
from reference_app.stack import graphs, synthetic_graph, who_to_follow
from reference_app.stack.graphs import Ids


def by_hand(edges: Ids) -> dict[int, list[int]]:
    """The same, slowly, and of everybody."""
    followees: dict[int, set[int]] = defaultdict(set)
    for follower, followee in edges.tolist():
        followees[follower].add(followee)
    common = {
        user: Counter(other for friend in friends for other in followees.get(friend, ()) if other != user and other not in friends)
        for user, friends in followees.items()
    }
    return {
        user: sorted(found, key=lambda other: (-found[other], other))[: who_to_follow.SUGGESTED] for user, found in common.items() if found
    }


@pytest.mark.parametrize("seed", range(3))
def test_where_nobody_has_more_friends_than_are_looked_at_it_is_exact(seed: int) -> None:
    edges = synthetic_graph.generate(100, seed=seed, edges=400).edges
    assert np.bincount(edges[:, 0]).max() <= who_to_follow.FRIENDS
    assert dict(who_to_follow.suggestions(edges)) == by_hand(edges)


def test_users_beyond_one_block_are_not_mixed_up() -> None:
    far = 10_001
    edges = graphs.distinct(np.array([(1, 2), (2, 3), (far, far + 1), (far + 1, far + 2)]))
    assert dict(who_to_follow.suggestions(edges)) == {1: [3], far: [far + 2]}


def test_of_many_friends_some_are_looked_at_and_nobody_whom_one_follows_is_suggested() -> None:
    edges = synthetic_graph.generate(400, seed=1, edges=8_000).edges
    followed = set(map(tuple, edges.tolist()))
    found = dict(who_to_follow.suggestions(edges))
    assert len(found) > 390
    for user, others in found.items():
        assert 0 < len(others) <= who_to_follow.SUGGESTED
        assert not {(user, other) for other in others} & followed
        assert user not in others
        assert set(others) <= set(by_hand_all(edges, user))


def by_hand_all(edges: Ids, user: int) -> set[int]:
    friends = set(edges[edges[:, 0] == user][:, 1].tolist())
    return set(edges[np.isin(edges[:, 0], list(friends))][:, 1].tolist())


def test_who_has_nobody_gets_nothing() -> None:
    assert dict(who_to_follow.suggestions(np.empty((0, 2), dtype=np.int64))) == {}
    assert dict(who_to_follow.suggestions(np.array([(1, 2), (2, 1)]))) == {}


def test_rows_are_in_order_and_begin_with_the_generation() -> None:
    edges = synthetic_graph.generate(1000, seed=1).edges
    rows = who_to_follow.rows(edges, generation=7)
    assert rows[0] == (keyvalue.GENERATION_KEY, "7")
    assert rows == sorted(rows)
    assert max(len(value) for _, value in rows) <= keyvalue.VALUE_MAX
