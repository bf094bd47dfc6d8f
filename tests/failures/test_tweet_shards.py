"""A database of a tweet shard is lost or hangs: its replica, its primary, both."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from reference_app.contract import ids
from reference_app.contract.topology import Lab
from reference_app.stack.control import Control
from tests.failures.conftest import World, forget_tweets, visible_rows

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.timeout(90)]
PRIMARY, REPLICA = "tweets-db-0-primary", "tweets-db-0-replica"
POSTS = 12


def posted_by_retrying(world: World) -> dict[str, str]:
    """Key -> id of posts whose author retries until they are acknowledged."""
    keys = [uuid.uuid4().hex for _ in range(POSTS)]
    with ThreadPoolExecutor(4) as pool:
        posted = list(pool.map(lambda key: world.api.acknowledged(world.author, key, "meanwhile"), keys))
    return dict(zip(keys, posted, strict=True))


def each_once(lab: Lab, sql: Any, world: World, posted: dict[str, str]) -> bool:
    return all(visible_rows(lab, sql, world.author, key) == [int(tweet)] for key, tweet in posted.items())


@pytest.mark.verify
def test_without_a_replica_reads_go_on_and_posts_are_taken_by_other_shards(
    lab: Lab, control: Control, world: World, sql: Any, eventually: Any
) -> None:
    control.kill_and_hold(REPLICA)
    forget_tweets(lab)
    assert world.shows()
    posted = posted_by_retrying(world)
    assert {ids.shard_of(int(tweet)) for tweet in posted.values()} == {1}, "no commit is acknowledged that one disk alone has"
    forget_tweets(lab)
    assert {tweet["id"] for tweet in world.home()["tweets"]} >= set(world.tweets)
    control.heal()
    eventually(lambda: all(len(visible_rows(lab, sql, world.author, key)) == 1 for key in posted), "every key is there once")

    def kept() -> list[str]:
        """A first attempt that hung may wake and be the twin that stays."""
        return [str(tweet) for key in posted for tweet in visible_rows(lab, sql, world.author, key)]

    eventually(lambda: world.shows(*kept()), "everything acknowledged is on the page once, and nothing else")


@pytest.mark.verify
def test_without_a_primary_its_replica_serves_reads_and_posts_are_taken_by_other_shards(
    lab: Lab, control: Control, world: World, sql: Any, eventually: Any
) -> None:
    control.kill_and_hold(PRIMARY)
    forget_tweets(lab)
    assert world.shows()
    assert world.ask(None, "GET", f"/tweets/{world.tweets[0]}").status == 200
    posted = posted_by_retrying(world)
    assert {ids.shard_of(int(tweet)) for tweet in posted.values()} == {1}
    control.heal()
    eventually(lambda: each_once(lab, sql, world, posted), "every key is there once")
    eventually(lambda: world.shows(*posted.values()), "everything acknowledged is on the page, and nothing else")


@pytest.mark.verify
def test_without_a_shard_only_its_tweets_are_missing_and_the_page_says_so(
    lab: Lab, control: Control, world: World, eventually: Any
) -> None:
    for name in (PRIMARY, REPLICA):
        control.kill_and_hold(name)
    forget_tweets(lab)
    lost, there = world.tweets
    page = world.home()
    assert [tweet["id"] for tweet in page["tweets"]] == [there]
    assert (page["partial"], page["missing"]) == (True, {"tweets": 1})
    refused = world.ask(None, "GET", f"/tweets/{lost}")
    assert (refused.status, refused.json()["error"]["code"]) == (503, "unavailable")
    profile = world.ask(None, "GET", f"/users/{world.author.id}/tweets").json()
    assert ([tweet["id"] for tweet in profile["tweets"]], profile["partial"]) == ([there], True)
    posted = posted_by_retrying(world)
    assert {ids.shard_of(int(tweet)) for tweet in posted.values()} == {1}
    control.heal()
    eventually(lambda: world.shows(*posted.values()), "nothing is missing any more")


@pytest.mark.verify
def test_while_a_primary_hangs_reads_and_posts_are_answered_before_their_deadline(
    lab: Lab, control: Control, world: World, sql: Any, eventually: Any
) -> None:
    control.pause(PRIMARY)
    forget_tweets(lab)
    for _ in range(10):
        page = world.home()
        assert {tweet["id"] for tweet in page["tweets"]} == set(world.tweets), "the replica has them"
        forget_tweets(lab)
    posted = posted_by_retrying(world)
    control.resume(PRIMARY)
    eventually(lambda: each_once(lab, sql, world, posted), "every key is there once")
    eventually(lambda: world.shows(*posted.values()), "everything acknowledged is on the page, and nothing else")


@pytest.mark.verify
def test_while_a_whole_shard_hangs_pages_are_partial_before_their_deadline(
    lab: Lab, control: Control, world: World, eventually: Any
) -> None:
    for name in (PRIMARY, REPLICA):
        control.pause(name)
    forget_tweets(lab)
    eventually(lambda: world.home()["missing"] == {"tweets": 1}, "the page says what is missing")
    for _ in range(10):
        assert [tweet["id"] for tweet in world.home()["tweets"]] == [world.tweets[1]]
        forget_tweets(lab)
        assert world.ask(None, "GET", f"/tweets/{world.tweets[0]}").status in (503, 504)
    for name in (PRIMARY, REPLICA):
        control.resume(name)
    eventually(world.shows, "nothing is missing any more")
