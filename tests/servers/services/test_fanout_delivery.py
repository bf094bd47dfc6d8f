"""Delivery over a real graph service and real caches, one of which goes away."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncmy
import pytest
import redis

from reference_app.contract import storage
from reference_app.contract.profile import LAB
from reference_app.contract.topology import Component, Lab
from reference_app.instrumentation import clients
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deciders, membership
from reference_app.kit.deciders import Deciders
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.home import Home
from reference_app.kit.membership import Members
from reference_app.kit.ring import Ring
from reference_app.services.fanout import domain
from reference_app.services.fanout.delivery import Delivery

FIRST_ID = 2_100_000_000_000_000_000
FOLLOWERS = {1: 2 * domain.PAGE + 300, 2: 300}
"""Author -> how many follow them, the users from 11 on."""
PROFILE = dataclasses.replace(LAB, delivery_give_up=0.3)
NAMES = ("timeline-cache-0", "timeline-cache-1")


async def fill(port: int) -> None:
    """Follow edges, as the graph service keeps them."""
    edges = [(author, follower) for author, count in FOLLOWERS.items() for follower in range(11, 11 + count)]
    async with (
        asyncmy.connect(host="127.0.0.1", port=port, user=storage.DATABASE_USER, database=storage.DATABASE, autocommit=True) as client,
        client.cursor() as cursor,
    ):
        await cursor.executemany("INSERT INTO followers (followee_id, follower_id) VALUES (%s, %s)", edges)
        await cursor.executemany("INSERT INTO follower_counts (user_id, followers) VALUES (%s, %s)", list(FOLLOWERS.items()))


@pytest.fixture(scope="module")
def graph(serve: Callable[[str], Any]) -> Component:
    serving = serve("graph")
    asyncio.run(fill(serving.lab.kind("mariadb")[0].port))
    return serving.lab.component("graph-0")


class Rig:
    """What fan-out is composed of, and the lists that it fills."""

    def __init__(self, home: Home, graph: Component, servers: Sequence[Any]) -> None:
        self.home, self.servers = home, servers
        caches = [
            Component(name, "redis", "timeline-cache", n, server.port) for n, (name, server) in enumerate(zip(NAMES, servers, strict=True))
        ]
        self.lab = Lab(str(home.path), "test", 0, (*caches, graph), signing_key="", supervisor_password="")
        self.ports = {cache.name: cache.port for cache in caches}

    def run(self, work: Callable[[Delivery], Awaitable[Any]]) -> Any:
        async def composed() -> Any:
            recorder, deciders = Recorder(), Deciders(self.home.deciders_file)
            caches = clients.caches(self.lab, "timeline-cache", recorder, deciders)
            ring, asked = clients.membership(self.lab, "timeline-cache", recorder), clients.services(self.lab, "graph", recorder, deciders)
            failpoints = Failpoints(self.home.failpoints_file)
            delivery = Delivery(caches, ring, asked, deciders=deciders, failpoints=failpoints, recorder=recorder, profile=PROFILE)
            try:
                return await work(delivery)
            finally:
                asked.close()
                for cache in caches.values():
                    await cache.close()

        return asyncio.run(composed())

    def begin(self, users: Sequence[int]) -> None:
        for node, held in Ring(NAMES).by_node(users).items():
            with redis.Redis(port=self.ports[node]) as client:
                for user in held:
                    client.rpush(storage.timeline_key(user, 0), storage.TIMELINE_READY)

    def lists(self, users: Sequence[int], node: str) -> list[list[bytes]]:
        with redis.Redis(port=self.ports[node]) as client:
            return [client.lrange(storage.timeline_key(user, 0), 0, -1) for user in Ring(NAMES).by_node(users).get(node, [])]

    def get(self, node: str, key: str) -> bytes | None:
        with redis.Redis(port=self.ports[node]) as client:
            return client.get(key)


@pytest.fixture
def rig(graph: Component, start: Callable[..., Any], tmp_path: Path) -> Iterator[Rig]:
    servers = [start("redis"), start("redis")]
    yield Rig(Home(tmp_path), graph, servers)
    for server in servers:
        with contextlib.suppress(ProcessLookupError):
            server.signal(signal.SIGCONT)


def event(tweet_id: int, author: int) -> storage.TweetEvent:
    return storage.TweetEvent(tweet_id, author, int(time.time() * 1000))


async def deliver(delivery: Delivery, tweet_id: int, author: int) -> bool:
    return await delivery.deliver(event(tweet_id, author), await delivery.followers(author))


def audience(author: int) -> range:
    return range(11, 11 + FOLLOWERS[author])


def test_every_follower_on_every_page_gets_each_tweet_once_however_many_are_under_way(rig: Rig) -> None:
    deciders.write(rig.home, "celebrity_followers", 5000, by="test")
    rig.begin(audience(1))

    async def work(delivery: Delivery) -> list[bool]:
        tweets = [(FIRST_ID + n, author) for n, author in enumerate([1, 2, 2, 1, 2])]
        return await asyncio.gather(*(deliver(delivery, *tweet) for tweet in [*tweets, tweets[0]]))

    assert rig.run(work) == [True] * 6
    both, one = [b"%d" % (FIRST_ID + n) for n in (4, 3, 2, 1, 0)], [b"%d" % (FIRST_ID + n) for n in (3, 0)]
    for node in NAMES:
        assert all(found == [*both, b"0"] for found in rig.lists(audience(2), node))
        assert all(found == [*one, b"0"] for found in rig.lists(range(audience(2).stop, audience(1).stop), node))


def test_a_cache_that_stays_away_is_emptied_under_a_new_epoch_before_the_event_is_done(rig: Rig) -> None:
    rig.begin(audience(2))
    rig.servers[1].signal(signal.SIGSTOP)

    async def work(delivery: Delivery) -> tuple[bool, bool]:
        task = asyncio.ensure_future(deliver(delivery, FIRST_ID, 2))
        done, _ = await asyncio.wait([task], timeout=PROFILE.delivery_give_up + 0.7)
        rig.servers[1].signal(signal.SIGCONT)
        return bool(done), await task

    assert rig.run(work) == (False, False)
    assert (rig.get(NAMES[0], "epoch"), rig.get(NAMES[1], "epoch")) == (None, b"1")
    assert all(found == [b"%d" % FIRST_ID, b"0"] for found in rig.lists(audience(2), NAMES[0]))
    assert not any(rig.lists(audience(2), NAMES[1]))


def test_however_many_deliveries_give_up_on_a_cache_it_is_emptied_once(rig: Rig) -> None:
    rig.begin(audience(2))
    rig.servers[1].signal(signal.SIGSTOP)

    async def work(delivery: Delivery) -> list[bool]:
        tasks = [asyncio.ensure_future(deliver(delivery, FIRST_ID + n, 2)) for n in range(20)]
        await asyncio.wait(tasks, timeout=PROFILE.delivery_give_up + 1)
        rig.servers[1].signal(signal.SIGCONT)
        return await asyncio.gather(*tasks)

    assert rig.run(work) == [False] * 20
    assert rig.get(NAMES[1], "epoch") == b"1"


def test_a_cache_that_leaves_the_ring_is_waited_for_no_longer(rig: Rig) -> None:
    rig.begin(audience(2))
    rig.servers[1].signal(signal.SIGSTOP)

    async def work(delivery: Delivery) -> bool:
        task = asyncio.ensure_future(deliver(delivery, FIRST_ID, 2))
        long_ago = time.time() - membership.NOTICE_SECONDS
        membership.announce(rig.home, "timeline-cache", Members(NAMES), NAMES[:1], by="test", now=long_ago, guarded=True)
        async with asyncio.timeout(5):
            return await task

    assert rig.run(work) is True
