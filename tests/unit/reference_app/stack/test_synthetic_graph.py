from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from reference_app.stack import synthetic_graph


def hill(counts: list[int], *, low: float, high: float) -> float:
    """Exponent of the density between two counts, from the shares above each (both far from the cut)."""
    above = [sum(1 for count in counts if count >= bound) for bound in (low, high)]
    return 1 + math.log(above[0] / above[1]) / math.log(high / low)


def test_follower_counts_have_the_published_tail() -> None:
    counts = synthetic_graph.follower_counts(30_000, random.Random(1))
    assert hill(counts, low=20, high=400) == pytest.approx(synthetic_graph.TAIL_EXPONENT, abs=0.05)


def test_account_1_is_followed_by_a_fifth_and_the_other_celebrities_by_a_tenth() -> None:
    graph = synthetic_graph.generate(1500, seed=1)
    followers = Counter(followee for _, followee in graph.edges)
    assert [followers[number] for number in (1, 2, 3, 4)] == [300, 150, 150, 150]
    assert max(followers[number] for number in range(5, 1501)) <= 150
    assert graph.top_followers() == 300


@pytest.mark.parametrize(("users", "mean"), [(100, 5), (2000, 35)])
def test_users_follow_35_others_on_average_and_fewer_in_a_small_world(users: int, mean: float) -> None:
    assert len(synthetic_graph.generate(users, seed=1).edges) / users == pytest.approx(mean, rel=0.03)


def test_edges_are_distinct_ordered_and_nobody_follows_himself() -> None:
    edges = synthetic_graph.generate(300, seed=3).edges
    assert list(edges) == sorted(set(edges))
    assert all(a != b and 1 <= a <= 300 and 1 <= b <= 300 for a, b in edges)


def test_the_same_seed_makes_the_same_graph_and_another_one_another() -> None:
    first = synthetic_graph.generate(200, seed=5)
    assert first == synthetic_graph.generate(200, seed=5)
    assert first.edges != synthetic_graph.generate(200, seed=6).edges


def test_a_world_too_small_for_celebrities_is_refused() -> None:
    with pytest.raises(synthetic_graph.TooFewUsersError, match="at least 20 users, 3 were asked for"):
        synthetic_graph.generate(3, seed=1)
