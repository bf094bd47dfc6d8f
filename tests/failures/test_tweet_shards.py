"""A database of a tweet shard is lost or hangs: its replica, its primary, both."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from reference_app.contract.topology import Lab
from reference_app.stack.control import Control
from tests.failures.conftest import World, forget_tweets, key_of, rows_on, seen, visible_rows

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.timeout(90)]
PRIMARY, REPLICA = "tweets-db-0-primary", "tweets-db-0-replica"
POSTS = 12


def posted_by_retrying(world: World) -> list[str]:
    """Keys of posts whose author retries until they are acknowledged; each has its key for a text."""
    keys = [uuid.uuid4().hex for _ in range(POSTS)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: world.api.acknowledged(world.author, key, key), keys))
    return keys


def taken_by_others(lab: Lab, sql: Any, world: World, keys: list[str]) -> bool:
    """No commit is acknowledged that one disk alone has, so what the shard itself may hold of them is not what was acknowledged."""
    return all(len(rows_on(lab.component("tweets-db-1-primary"), sql, world.author, key)) == 1 for key in keys)


def each_once(lab: Lab, sql: Any, world: World, keys: list[str]) -> bool:
    """On the shards and on the follower's page. A first attempt that woke may have taken the place of the tweet that was acknowledged."""
    page = world.api.home(world.reader) or {"tweets": [], "partial": True}
    shown = Counter(tweet["text"] for tweet in page["tweets"] if tweet["id"] not in world.tweets)
    rows = [len(visible_rows(lab, sql, world.author, key)) for key in keys]
    return set(rows) == {1} and shown == Counter(keys) and not page["partial"]


@pytest.mark.verify
def test_without_a_replica_reads_go_on_and_posts_are_taken_by_other_shards(
    lab: Lab, control: Control, world: World, sql: Any, eventually: Any
) -> None:
    control.kill_and_hold(REPLICA)
    forget_tweets(lab)
    assert seen(world.home()) == (set(world.tweets), {})
    keys = posted_by_retrying(world)
    assert taken_by_others(lab, sql, world, keys)
    forget_tweets(lab)
    assert {tweet["id"] for tweet in world.home()["tweets"]} >= set(world.tweets)
    control.heal()
    eventually(lambda: each_once(lab, sql, world, keys), "everything acknowledged is there, once")


@pytest.mark.verify
def test_without_a_primary_its_replica_serves_reads_and_posts_are_taken_by_other_shards(
    lab: Lab, control: Control, world: World, sql: Any, eventually: Any
) -> None:
    control.kill_and_hold(PRIMARY)
    forget_tweets(lab)
    assert seen(world.home()) == (set(world.tweets), {})
    assert world.ask(None, "GET", f"/tweets/{world.tweets[0]}").status == 200
    keys = posted_by_retrying(world)
    assert taken_by_others(lab, sql, world, keys)
    control.heal()
    eventually(lambda: each_once(lab, sql, world, keys), "everything acknowledged is there, once")


@pytest.mark.verify
def test_without_a_shard_only_its_tweets_are_missing_and_the_page_says_so(
    lab: Lab, control: Control, world: World, sql: Any, eventually: Any
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
    keys = posted_by_retrying(world)
    control.heal()
    eventually(lambda: each_once(lab, sql, world, keys), "everything acknowledged is there, once")
    eventually(lambda: {tweet["id"] for tweet in world.home()["tweets"]} >= set(world.tweets), "nothing is missing any more")


@pytest.mark.verify
def test_what_could_not_be_fetched_is_not_made_up_for_by_asking_for_older_tweets(
    lab: Lab, control: Control, world: World, eventually: Any
) -> None:
    """A page of a dead shard's tweets would cost the living three times as much."""
    newest = world.api.acknowledged(world.author, key_of(world.author, 0, 2), "on the shard that dies")
    eventually(lambda: world.shows(newest), "it is delivered")
    for name in (PRIMARY, REPLICA):
        control.kill_and_hold(name)
    forget_tweets(lab)
    page = world.ask(world.reader, "GET", "/home?limit=1").json()
    assert (page["tweets"], page["partial"], page["missing"]) == ([], True, {"tweets": 1})
    older = world.ask(world.reader, "GET", f"/home?limit=1&cursor={page['next_cursor']}").json()
    assert [tweet["id"] for tweet in older["tweets"]] == [world.tweets[1]]


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
    keys = posted_by_retrying(world)
    control.resume(PRIMARY)
    eventually(lambda: each_once(lab, sql, world, keys), "everything acknowledged is there, once")


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
