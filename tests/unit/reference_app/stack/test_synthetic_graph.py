from __future__ import annotations

import math

import numpy as np
import pytest

from reference_app.stack import synthetic_graph


def hill(counts: list[int], *, low: float, high: float) -> float:
    """Exponent of the density between two counts, from the shares above each (both far from the cut)."""
    above = [sum(1 for count in counts if count >= bound) for bound in (low, high)]
    return 1 + math.log(above[0] / above[1]) / math.log(high / low)


def test_follower_counts_have_the_published_tail() -> None:
    counts = synthetic_graph.follower_counts(30_000, 35, np.random.default_rng(1)).tolist()
    assert hill(counts, low=20, high=400) == pytest.approx(synthetic_graph.TAIL_EXPONENT, abs=0.05)


def test_account_1_is_followed_by_a_fifth_and_the_other_celebrities_by_a_tenth() -> None:
    graph = synthetic_graph.generate(1500, seed=1)
    followers = graph.follower_counts()
    assert followers[1:5].tolist() == [300, 150, 150, 150]
    assert followers[5:].max() <= 150
    assert graph.top_followers() == 300


@pytest.mark.parametrize(("users", "mean"), [(100, 5), (2000, 35)])
def test_users_follow_35_others_on_average_and_fewer_in_a_small_world(users: int, mean: float) -> None:
    assert len(synthetic_graph.generate(users, seed=1).edges) / users == pytest.approx(mean, rel=0.03)


def test_edges_are_distinct_ordered_and_nobody_follows_himself() -> None:
    edges = [tuple(edge) for edge in synthetic_graph.generate(300, seed=3).edges.tolist()]
    assert edges == sorted(set(edges))
    assert all(a != b and 1 <= a <= 300 and 1 <= b <= 300 for a, b in edges)


def test_the_same_seed_makes_the_same_graph_and_another_one_another() -> None:
    first, again, other = (synthetic_graph.generate(200, seed=seed).edges.tolist() for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_active_users_follow_more_than_others() -> None:
    followees = np.bincount(synthetic_graph.generate(2000, seed=1).edges[:, 0])[1:]
    assert np.percentile(followees, 90) > 1.6 * np.median(followees)


@pytest.mark.parametrize("edges", [40_000, 100_000])
def test_the_number_of_follows_can_be_asked_for(edges: int) -> None:
    assert len(synthetic_graph.generate(2000, seed=1, edges=edges).edges) == pytest.approx(edges, rel=0.01)


@pytest.mark.parametrize(
    ("users", "edges", "says"),
    [
        (3, None, "at least 20 users, 3 were asked for"),
        (100, 501, "100 users can have 40 to 500 follows, 501 were asked for"),
        (2000, 100, "2,000 users can have 2,400 to 200,000 follows, 100 were asked for"),
    ],
)
def test_an_impossible_world_is_refused_with_what_is_possible(users: int, edges: int | None, says: str) -> None:
    with pytest.raises(synthetic_graph.ImpossibleGraphError, match=says):
        synthetic_graph.generate(users, seed=1, edges=edges)
