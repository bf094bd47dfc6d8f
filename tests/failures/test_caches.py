"""Caches are lost, hang, are full or answer with errors: the stores behind them are asked, boundedly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis

from reference_app.contract import storage, tokens
from reference_app.contract.topology import Component, Lab
from reference_app.services.timelines.rebuilding import CONCURRENT
from reference_app.stack.control import Control
from tests.failures.conftest import World
from tests.stack.conftest import User

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.timeout(90)]
HERD = 60
WATCHERS = 4
"""Prober and Prometheus ask the service too, each every second."""


@pytest.fixture
def tweet_cache(lab: Lab) -> Iterator[redis.Redis]:
    """A tweet cache; whatever a test set on it is taken back."""
    with redis.Redis(port=lab.group("tweet-cache")[0].port) as client:
        yield client
        allow(client, "allkeys")
        client.config_set("maxmemory", 0)


def allow(client: redis.Redis, *rules: str) -> None:
    """What may be done with which keys; everything else is answered with an error."""
    client.execute_command("ACL", "SETUSER", "default", *rules)


def cached(client: redis.Redis, tweet: str) -> bool:
    return bool(client.exists(storage.tweet_key(int(tweet))))


def complete(world: World) -> bool:
    page = world.home()
    return not page["partial"] and {shown["id"] for shown in page["tweets"]} == set(world.tweets)


def test_without_a_tweet_cache_tweets_are_read_from_their_shards(
    control: Control, world: World, tweet_cache: redis.Redis, eventually: Any
) -> None:
    control.kill_and_hold("tweet-cache-0")
    assert all(complete(world) for _ in range(10))
    control.heal()
    eventually(lambda: complete(world) and cached(tweet_cache, world.tweets[0]), "it is filled again")


@pytest.mark.verify
def test_while_a_tweet_cache_hangs_tweets_are_read_from_their_shards_before_the_deadline(
    control: Control, world: World, tweet_cache: redis.Redis, eventually: Any
) -> None:
    control.pause("tweet-cache-0")
    assert all(complete(world) for _ in range(10))
    control.resume("tweet-cache-0")
    eventually(lambda: complete(world) and cached(tweet_cache, world.tweets[0]), "it is filled again")


def test_a_tweet_cache_that_answers_reads_with_errors_is_not_written_to(world: World, tweet_cache: redis.Redis, eventually: Any) -> None:
    tweet_cache.flushall()
    allow(tweet_cache, "resetkeys", "%W~*")
    assert all(complete(world) for _ in range(5))
    allow(tweet_cache, "allkeys")
    assert not any(cached(tweet_cache, tweet) for tweet in world.tweets), "nobody knows what lies there"
    eventually(lambda: complete(world) and cached(tweet_cache, world.tweets[0]), "it is filled again")


@pytest.mark.verify
def test_a_tweet_cache_that_is_full_serves_no_worse_pages(world: World, tweet_cache: redis.Redis, eventually: Any) -> None:
    tweet_cache.flushall()
    tweet_cache.config_set("maxmemory-policy", "noeviction")
    tweet_cache.config_set("maxmemory", 1)
    assert all(complete(world) for _ in range(5))
    assert not cached(tweet_cache, world.tweets[0]), "it was not full: the test proved nothing"
    tweet_cache.config_set("maxmemory", 0)
    eventually(lambda: complete(world) and cached(tweet_cache, world.tweets[0]), "it is filled again")


@pytest.mark.verify
def test_without_any_timeline_cache_pages_are_rebuilt_and_are_kept_again_afterwards(
    lab: Lab, control: Control, world: World, eventually: Any
) -> None:
    for cache in lab.group("timeline-cache"):
        control.kill_and_hold(cache.name)
    posted = world.post("into no cache at all")
    eventually(lambda: world.shows(posted), "a page is made of the authors' own timelines")
    control.heal()
    later = world.post("into a cache again")
    eventually(lambda: world.shows(posted, later), "nothing is missing")
    eventually(lambda: world.shows(posted, later) and kept(lab, world.reader.id), "the list is in its cache again")


def kept(lab: Lab, user_id: str) -> bool:
    return any(
        key.decode().endswith(f":{user_id}") for cache in lab.group("timeline-cache") for key in redis.Redis(port=cache.port).keys("tl:*")
    )


@pytest.mark.verify
def test_a_herd_of_lost_timelines_reaches_the_shards_in_bounded_numbers(lab: Lab, control: Control, world: World, eventually: Any) -> None:
    """While the tweets service hangs, requests that reached it lie unread in its sockets, where they can be counted."""
    for cache in lab.group("timeline-cache"):
        with redis.Redis(port=cache.port) as client:
            client.flushall()
    control.pause("tweets-0")
    herd = [User(str(n), tokens.sign(n, key=lab.signing_key, expires_at=int(time.time()) + 600)) for n in range(1, HERD + 1)]
    with ThreadPoolExecutor(HERD) as pool:
        asked = [pool.submit(world.api.call, user, "GET", "/home") for user in herd]
        seen = []
        while not all(future.done() for future in asked):
            seen.append(unread(lab.component("tweets-0")))
            time.sleep(0.02)
    assert {future.result().status_code for future in asked} <= {200, 503, 504}
    assert 1 < max(seen) <= CONCURRENT + WATCHERS
    control.resume("tweets-0")
    eventually(lambda: all(world.ask(user, "GET", "/home").json()["missing"] == {} for user in herd), "all pages are complete")
    eventually(world.shows, "nothing is missing")


def unread(service: Component) -> int:
    """Connections on which something lies that the service has not read."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(int(row[1].rpartition(":")[2], 16) == service.port and row[3] == "01" and int(row[4].split(":")[1], 16) > 0 for row in rows)
