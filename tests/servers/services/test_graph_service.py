from __future__ import annotations

from typing import Any

import pytest

from reference_app.contract import api
from reference_app.contract.api import Internal


@pytest.fixture(scope="module")
def graph(serve: Any) -> Any:
    return serve("graph")


def edge(follower_id: object, followee_id: object) -> str:
    return Internal.EDGE.format(follower_id=follower_id, followee_id=followee_id)


def follow(graph: Any, follower_id: int, followee_id: int) -> None:
    assert graph.client.put(edge(follower_id, followee_id)).status_code == 204


def followees(graph: Any, user_id: int, query: str = "") -> Any:
    return graph.client.get(Internal.FOLLOWEES.format(user_id=user_id) + query)


def followers(graph: Any, user_id: int, query: str = "") -> Any:
    return graph.client.get(Internal.FOLLOWERS.format(user_id=user_id) + query).json()


def among(graph: Any, user_id: int, ids: list[int]) -> Any:
    return graph.client.post(Internal.AMONG.format(user_id=user_id), json={"ids": ids})


def test_following_twice_and_unfollowing_twice_is_like_once(graph: Any) -> None:
    follow(graph, 101, 102)
    follow(graph, 101, 102)
    assert followees(graph, 101).json() == {"ids": [102]}
    assert followers(graph, 102) == {"ids": [101], "next_after": None, "count": 1}
    for _ in range(2):
        assert graph.client.delete(edge(101, 102)).status_code == 204
    assert followees(graph, 101).json() == {"ids": []}


def test_nobody_can_follow_themselves(graph: Any, code: Any) -> None:
    assert code(graph.client.put(edge(5, 5))) == (422, "invalid")
    assert followees(graph, 5).json() == {"ids": []}


def test_followers_are_paged_by_cursor_and_counted_on_the_first_page_only(graph: Any) -> None:
    for follower in range(1, 6):
        follow(graph, follower, 200)
    first = followers(graph, 200, "?limit=2")
    assert first == {"ids": [1, 2], "next_after": 2, "count": 5}
    second = followers(graph, 200, "?limit=2&after=2")
    assert second == {"ids": [3, 4], "next_after": 4, "count": None}
    assert followers(graph, 200, "?limit=2&after=4") == {"ids": [5], "next_after": None, "count": None}


def test_a_follower_who_joins_between_two_pages_shifts_none_of_them(graph: Any) -> None:
    for follower in (10, 20, 30):
        follow(graph, follower, 300)
    page = followers(graph, 300, "?limit=2")
    follow(graph, 15, 300)
    assert followers(graph, 300, f"?limit=2&after={page['next_after']}")["ids"] == [30]


def test_a_user_without_followers_has_one_empty_page(graph: Any) -> None:
    assert followers(graph, 999) == {"ids": [], "next_after": None, "count": 0}


def test_followees_are_cut_at_the_limit(graph: Any) -> None:
    for followee in (3, 1, 2):
        follow(graph, 400, followee)
    assert followees(graph, 400, "?limit=2").json() == {"ids": [1, 2]}


def test_among_some_ids_are_those_that_the_user_follows(graph: Any) -> None:
    for followee in (501, 502):
        follow(graph, 500, followee)
    assert among(graph, 500, [502, 503, 501]).json() == {"ids": [501, 502]}
    assert among(graph, 500, []).json() == {"ids": []}


@pytest.mark.parametrize("bad", ["x", "0", "-1", "9223372036854775808", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_what_is_no_user_id_is_invalid(graph: Any, code: Any, bad: str) -> None:
    assert code(graph.client.put(edge(1, bad))) == (422, "invalid")


def test_too_many_ids_or_too_long_a_page_is_invalid(graph: Any, code: Any) -> None:
    assert code(among(graph, 1, list(range(1, api.MULTIGET_MAX + 2)))) == (422, "invalid")
    assert code(followees(graph, 1, "?limit=5001")) == (422, "invalid")


def test_when_the_database_is_dead_everything_is_unavailable_and_says_when_to_retry(graph: Any, code: Any) -> None:
    graph.database.kill()
    graph.database.wait(10)
    for answer in (followees(graph, 1), graph.client.put(edge(1, 2)), graph.client.delete(edge(1, 2)), among(graph, 1, [2])):
        assert code(answer) == (503, "unavailable")
        assert answer.headers["retry-after"] == "1"
