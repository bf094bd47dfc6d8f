from __future__ import annotations

from reference_app.contract.api import Tweet
from reference_app.kit.ring import Ring
from reference_app.services.fanout import domain as fanout
from reference_app.services.timelines import domain

TWEETS = [Tweet(3, 30, "c"), Tweet(5, 50, "e"), Tweet(4, 30, "d")]


def test_candidates_are_distinct_and_newest_first_below_the_cursor() -> None:
    assert domain.candidates([5, 9, 5, 7, 8], None) == [9, 8, 7, 5]
    assert domain.candidates([5, 9, 5, 7, 8], 8) == [7, 5]


def test_tweets_of_authors_that_are_no_longer_followed_are_dropped() -> None:
    assert [t.id for t in domain.visible(TWEETS, {30})] == [4, 3]


def test_all_stay_when_the_graph_could_not_be_asked() -> None:
    assert [t.id for t in domain.visible(TWEETS, None)] == [5, 4, 3]


def test_an_author_without_a_handle_makes_the_page_partial() -> None:
    whole = domain.page(TWEETS, {30: "ann", 50: "bob"}, next_cursor=None, missing={})
    assert (whole.missing, [t.handle for t in whole.tweets]) == ({}, ["ann", "bob", "ann"])
    assert domain.page(TWEETS, {30: "ann"}, next_cursor=3, missing={"tweets": 2}).missing == {"tweets": 2, "authors": 1}
    assert domain.page(TWEETS, None, next_cursor=None, missing={}).missing == {"authors": 3}


def test_a_fan_out_is_cut_into_chunks_of_one_cache_each() -> None:
    ring, users = Ring(["cache-0", "cache-1"]), list(range(1, 1201))
    chunks = fanout.chunks_by_node(ring, users)
    assert sorted(user for _, chunk in chunks for user in chunk) == users
    assert max(len(chunk) for _, chunk in chunks) == fanout.CHUNK
    assert all(ring.node_of(user) == node for node, chunk in chunks for user in chunk)
