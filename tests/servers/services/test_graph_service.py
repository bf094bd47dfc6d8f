"""The graph service over two shards: users with even ids on the first, with odd ids on the second."""

from __future__ import annotations

import asyncio
import random
import signal
import threading
from typing import Any

import asyncmy
import pytest

from reference_app.contract import api, storage
from reference_app.contract.api import Internal
from reference_app.kit.sql import Session
from reference_app.services.graph import store
from reference_app.services.graph.domain import Edge, State
from tests.waiting import await_true, freeze

SHARDS = 2


@pytest.fixture(scope="module")
def graph(serve: Any) -> Any:
    return serve("graph", shards=SHARDS)


def edge(follower_id: object, followee_id: object) -> str:
    return Internal.EDGE.format(follower_id=follower_id, followee_id=followee_id)


def blocking(blocker_id: object, blocked_id: object) -> str:
    return Internal.BLOCK.format(blocker_id=blocker_id, blocked_id=blocked_id)


def follow(graph: Any, follower_id: int, followee_id: int) -> None:
    assert graph.client.put(edge(follower_id, followee_id)).status_code == 204


def unfollow(graph: Any, follower_id: int, followee_id: int) -> None:
    assert graph.client.delete(edge(follower_id, followee_id)).status_code == 204


def following(graph: Any, user_id: int, query: str = "") -> Any:
    return graph.client.get(Internal.FOLLOWEES.format(user_id=user_id) + query).json()


def followees(graph: Any, user_id: int, query: str = "") -> list[int]:
    ids: list[int] = following(graph, user_id, query)["ids"]
    return ids


def followers(graph: Any, user_id: int, query: str = "") -> Any:
    return graph.client.get(Internal.FOLLOWERS.format(user_id=user_id) + query).json()


def among(graph: Any, user_id: int, ids: list[int]) -> Any:
    return graph.client.post(Internal.AMONG.format(user_id=user_id), json={"ids": ids})


def sql(graph: Any, shard: int, statement: str) -> list[tuple[Any, ...]]:
    async def ask() -> list[tuple[Any, ...]]:
        port = graph.lab.component(f"graph-db-{shard}").port
        connection = asyncmy.connect(host="127.0.0.1", port=port, user="root", database=storage.DATABASE, autocommit=True)
        async with connection as client, client.cursor() as cursor:
            await cursor.execute(statement)
            return [tuple(row) for row in await cursor.fetchall()]

    return asyncio.run(ask())


async def write_backward(port: int, edge: Edge, state: State) -> None:
    async with asyncmy.connect(host="127.0.0.1", port=port, user="root", database=storage.DATABASE, autocommit=True) as client:
        await store.set_backward(Session(client), edge, state)


def pending(graph: Any) -> int:
    statement = "SELECT (SELECT COUNT(*) FROM pending_edges) + (SELECT COUNT(*) FROM blocks WHERE pending = 1)"
    return sum(int(sql(graph, shard, statement)[0][0]) for shard in range(SHARDS))


@pytest.mark.parametrize("followee", [102, 103])
def test_following_twice_and_unfollowing_twice_is_like_once(graph: Any, followee: int) -> None:
    for _ in range(2):
        follow(graph, 100, followee)
    assert followees(graph, 100) == [followee]
    assert followers(graph, followee) == {"ids": [100], "next_after": None, "count": 1}
    for _ in range(2):
        unfollow(graph, 100, followee)
    assert followees(graph, 100) == []
    assert followers(graph, followee) == {"ids": [], "next_after": None, "count": 0}
    assert pending(graph) == 0


def test_each_direction_of_an_edge_is_on_the_shard_of_the_user_it_is_asked_for(graph: Any) -> None:
    follow(graph, 110, 111)
    forward, backward = (
        "SELECT followee_id FROM followees WHERE follower_id = 110",
        "SELECT follower_id FROM followers WHERE followee_id = 111",
    )
    assert [sql(graph, shard, forward) for shard in range(SHARDS)] == [[(111,)], []]
    assert [sql(graph, shard, backward) for shard in range(SHARDS)] == [[], [(110,)]]


def test_nobody_can_follow_or_block_themselves(graph: Any, code: Any) -> None:
    assert code(graph.client.put(edge(5, 5))) == (422, "invalid")
    assert code(graph.client.put(blocking(5, 5))) == (422, "invalid")
    assert following(graph, 5) == {"ids": [], "celebrities": [], "blocked": []}


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
    assert followees(graph, 400, "?limit=2") == [1, 2]


def test_among_some_ids_are_those_that_the_user_follows(graph: Any) -> None:
    for followee in (501, 502, 504):
        follow(graph, 500, followee)
    unfollow(graph, 500, 504)
    assert among(graph, 500, [502, 503, 501, 504]).json()["ids"] == [501, 502]
    assert among(graph, 500, []).json()["ids"] == []


def test_celebrities_are_those_with_more_followers_than_asked_for_on_all_shards(graph: Any) -> None:
    for followee, count in ((610, 3), (611, 3), (612, 2)):
        for follower in range(620, 620 + count):
            follow(graph, follower, followee)
    assert following(graph, 620, "?celebrity_over=2")["celebrities"] == [610, 611]
    unfollow(graph, 622, 611)
    assert following(graph, 620, "?celebrity_over=2")["celebrities"] == [610]
    assert following(graph, 620)["celebrities"] == []


@pytest.mark.parametrize("other", [702, 703])
def test_a_block_ends_the_follows_in_both_directions_and_refuses_new_ones(graph: Any, code: Any, other: int) -> None:
    follow(graph, 700, other)
    follow(graph, other, 700)
    for _ in range(2):
        assert graph.client.put(blocking(700, other)).status_code == 204
    assert following(graph, 700) == {"ids": [], "celebrities": [], "blocked": [other]}
    assert (followees(graph, other), followers(graph, 700)["count"], followers(graph, other)["count"]) == ([], 0, 0)
    for pair in ((700, other), (other, 700)):
        assert code(graph.client.put(edge(*pair))) == (403, "forbidden")
    for _ in range(2):
        assert graph.client.delete(blocking(700, other)).status_code == 204
    follow(graph, other, 700)
    assert followers(graph, 700)["ids"] == [other]
    unfollow(graph, other, 700)
    assert pending(graph) == 0


@pytest.mark.parametrize("bad", ["x", "0", "-1", "9223372036854775808", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_what_is_no_user_id_is_invalid(graph: Any, code: Any, bad: str) -> None:
    assert code(graph.client.put(edge(1, bad))) == (422, "invalid")
    assert code(graph.client.put(blocking(1, bad))) == (422, "invalid")


def test_too_many_ids_or_too_long_a_page_is_invalid(graph: Any, code: Any) -> None:
    assert code(among(graph, 1, list(range(1, api.MULTIGET_MAX + 2)))) == (422, "invalid")
    assert code(graph.client.get(Internal.FOLLOWEES.format(user_id=1) + "?limit=5001")) == (422, "invalid")


def test_both_directions_agree_after_many_changes_at_the_same_time(graph: Any) -> None:
    users = range(800, 806)

    def change(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(25):
            one, other = rng.sample(users, 2)
            method, path = rng.choice([("PUT", edge), ("PUT", edge), ("DELETE", edge), ("PUT", blocking), ("DELETE", blocking)])
            assert graph.client.request(method, path(one, other)).status_code in (204, 403, 503)

    threads = [threading.Thread(target=change, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    await_true(lambda: pending(graph) == 0)
    follows = {user: set(followees(graph, user)) for user in users}
    backward = {user: followers(graph, user) for user in users}
    assert {user: {other for other in users if user in follows[other]} for user in users} == {u: set(b["ids"]) for u, b in backward.items()}
    assert all(found["count"] == len(found["ids"]) for found in backward.values())
    blocks = [(user, blocked) for user in users for blocked in following(graph, user)["blocked"]]
    assert not [pair for pair in blocks if pair[1] in follows[pair[0]] or pair[0] in follows[pair[1]]]


def test_a_backward_write_that_arrives_late_changes_nothing(graph: Any) -> None:
    follow(graph, 900, 901)
    unfollow(graph, 900, 901)
    asyncio.run(write_backward(graph.lab.component("graph-db-1").port, Edge(900, 901), State(1, active=True)))
    assert followers(graph, 901) == {"ids": [], "next_after": None, "count": 0}
    asyncio.run(write_backward(graph.lab.component("graph-db-1").port, Edge(900, 901), State(3, active=True)))
    assert followers(graph, 901) == {"ids": [900], "next_after": None, "count": 1}


def test_an_edge_without_its_backward_row_is_finished(graph: Any) -> None:
    sql(graph, 0, "INSERT INTO followees (follower_id, followee_id) VALUES (910, 911)")
    sql(graph, 0, "INSERT INTO pending_edges VALUES (910, 911, 1)")
    await_true(lambda: followers(graph, 911) == {"ids": [910], "next_after": None, "count": 1}, limit_s=5)
    await_true(lambda: pending(graph) == 0)


def test_a_change_whose_shard_hangs_is_not_acknowledged_and_is_finished_when_it_is_back(graph: Any, code: Any) -> None:
    follow(graph, 920, 921)
    follow(graph, 923, 922)
    freeze(graph.databases[1])
    try:
        unfollowed = code(graph.client.delete(edge(920, 921)))
        blocked = code(graph.client.put(blocking(922, 923)))
    finally:
        graph.databases[1].send_signal(signal.SIGCONT)
    assert (unfollowed, blocked) == ((503, "indeterminate"), (503, "indeterminate"))
    assert followees(graph, 920) == []
    await_true(lambda: pending(graph) == 0)
    assert followers(graph, 921) == {"ids": [], "next_after": None, "count": 0}
    assert (followees(graph, 923), followers(graph, 922)["ids"]) == ([], [])
    assert code(graph.client.put(edge(923, 922))) == (403, "forbidden")


def test_when_the_databases_are_dead_everything_is_unavailable_and_says_when_to_retry(graph: Any, code: Any) -> None:
    for database in graph.databases:
        database.kill()
        database.wait(10)
    listed = graph.client.get(Internal.FOLLOWEES.format(user_id=1))
    for answer in (listed, graph.client.put(edge(1, 2)), graph.client.delete(edge(1, 2)), among(graph, 1, [2])):
        assert code(answer) == (503, "unavailable")
        assert answer.headers["retry-after"] == "1"
