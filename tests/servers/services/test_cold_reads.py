"""Reads of tweets that no cache has, by one process or two, over a real shard and a real cache."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis

from reference_app.contract import ids, metrics, storage
from reference_app.contract.api import Tweet
from reference_app.contract.profile import LAB
from reference_app.contract.topology import Component, Kind, Lab
from reference_app.instrumentation import clients
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deadline, deciders, errors, soft_ttl
from reference_app.kit.deciders import Deciders
from reference_app.kit.ejection import Ejection
from reference_app.kit.home import Home
from reference_app.services.tweets.cache_nodes import CacheNodes, marker_clients
from reference_app.services.tweets.cold_reads import ColdReads
from reference_app.services.tweets.reading import Reading
from reference_app.services.tweets.simulated_cold_store import SimulatedColdStore
from reference_app.services.tweets.tweet_cache import TweetCache

from .conftest import free_ports, provision, start_mariadb

NOW_MS = time.time_ns() // 1_000_000
TWEETS = [ids.compose(unix_ms=NOW_MS - 1000 + n, shard=0, process=0, sequence=0) for n in range(5)]


def inserted(tweet_id: int) -> str:
    return f"INSERT INTO failwhale.tweets (id, user_id, idempotency_key, text) VALUES ({tweet_id}, 1, 'k{tweet_id}', 'hello')"  # noqa: S608


@dataclass(frozen=True)
class Process:
    """What one tweets service has."""

    reading: Reading
    cache: TweetCache
    cold_reads: ColdReads
    recorder: Recorder

    def counted(self, metric: metrics.Metric, *labels: str) -> float:
        return float(self.recorder._labelled(metric, labels)._value.get())

    async def ids(self, *tweet_ids: int) -> list[int]:
        found = await self.reading.multiget(tweet_ids)
        assert not found.unavailable
        return sorted(msgspec.json.decode(tweet, type=Tweet).id for tweet in found.tweets)


Work = Callable[[Process, Process], Awaitable[Any]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@dataclass(frozen=True)
class Stores:
    """A lab of a shard with five tweets, and of a cache."""

    lab: Lab
    cache: Any


def lab_of(home: Home, *, database_port: int, cache_port: int) -> Lab:
    components = (
        Component("tweets-db-0-primary", "mariadb", "tweets-db", 0, database_port, "primary", "tweets-db-0"),
        Component("tweet-cache-0", "redis", "tweet-cache", 0, cache_port, shard="tweet-cache-0"),
    )
    return Lab(str(home.path), "test", 0, components, signing_key="a key for tests", supervisor_password="")


@pytest.fixture(scope="module")
def database_port(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    (port,) = free_ports(1)
    directory = tmp_path_factory.mktemp("shard")
    process = start_mariadb(template, directory / "data", port)
    lab = lab_of(Home(directory), database_port=port, cache_port=0)
    asyncio.run(provision(lab.group("tweets-db")[0], lab))
    yield port
    process.kill()
    process.wait(10)


@pytest.fixture
def stores(start: Callable[[Kind], Any], home: Home, database_port: int, execute: Any) -> Stores:
    cache = start("redis")
    lab = lab_of(home, database_port=database_port, cache_port=cache.port)
    execute(database_port, "DELETE FROM failwhale.tweets", *(inserted(tweet_id) for tweet_id in TWEETS), "SELECT 1")
    return Stores(lab, cache)


@pytest.fixture
def client(stores: Stores) -> Iterator[redis.Redis]:
    with redis.Redis(port=stores.cache.port) as client:
        yield client


@contextlib.asynccontextmanager
async def process(lab: Lab, home: Home) -> AsyncIterator[Process]:
    recorder, switches = Recorder(), Deciders(home.deciders_file)
    shards = clients.shards(lab, "tweets-db", recorder, switches)
    caches = clients.caches(lab, "tweet-cache", recorder, switches)
    markers = marker_clients(lab.group("tweet-cache"), recorder)
    nodes = CacheNodes(caches, markers, clients.membership(lab, "tweet-cache", recorder), Ejection(enabled=lambda: False))
    cache = TweetCache(nodes, deciders=switches, recorder=recorder)
    simulated = SimulatedColdStore(deciders=switches, recorder=recorder)
    cold_reads = ColdReads(shards, cache, simulated, deciders=switches, recorder=recorder)
    refreshing = asyncio.ensure_future(cold_reads.run())
    try:
        yield Process(Reading(shards, cache, cold_reads), cache, cold_reads, recorder)
    finally:
        refreshing.cancel()
        for opened in (*caches.values(), *markers.values(), *(shard.primary for shard in shards)):
            await opened.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection may take as long as a statement: many are made at once here, by one process."""
    monkeypatch.setattr(clients, "LAB", dataclasses.replace(LAB, connect_timeout=LAB.sql_timeout))


@pytest.fixture
def run(stores: Stores, home: Home) -> Callable[[Work], Any]:
    """Does something with two processes."""

    async def with_processes(work: Work) -> Any:
        async with process(stores.lab, home) as first, process(stores.lab, home) as second:
            return await work(first, second)

    return lambda work: asyncio.run(with_processes(work))


async def soon(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


def test_many_readers_of_two_processes_ask_the_shard_once(run: Any) -> None:
    async def work(here: Process, there: Process) -> tuple[float, float]:
        pages = await asyncio.gather(*(each.ids(*TWEETS) for each in (here, there) for _ in range(20)))
        assert pages == [TWEETS] * 40
        return tuple(each.counted(metrics.COLD_BATCHES, "served") for each in (here, there))

    assert sorted(run(work)) == [0, 1]


def test_with_all_protections_off_each_of_them_asks(run: Any, home: Home) -> None:
    for name in ("cold_single_flight", "cold_gathering", "lease_gets"):
        deciders.write(home, name, deciders.OFF, by="test")

    async def work(here: Process, _there: Process) -> float:
        await asyncio.gather(*(here.ids(*TWEETS) for _ in range(20)))
        return here.counted(metrics.COLD_BATCHES, "served")

    assert run(work) > 10


def test_who_holds_a_lease_and_never_fills_delays_the_others_by_little_and_they_fill_nothing(run: Any, client: redis.Redis) -> None:
    async def work(here: Process, there: Process) -> float:
        await there.cache.claim(TWEETS)
        started = time.monotonic()
        assert await here.ids(*TWEETS) == TWEETS
        return time.monotonic() - started

    assert LAB.cache_lease_wait * 0.9 <= run(work) < LAB.cache_lease
    assert all(len(value) < 10 for value in client.mget([storage.tweet_key(i) for i in TWEETS])), "the leases are not there any more"


def test_who_waits_with_somebody_whose_time_runs_out_is_told_that_nothing_is_known(run: Any) -> None:
    async def work(here: Process, there: Process) -> None:
        await here.cache.get(TWEETS)
        await there.cache.claim(TWEETS)

        async def values(within_s: float) -> dict[int, bytes]:
            deadline.start(within_s)
            return await here.cold_reads.values(TWEETS)

        assert await asyncio.gather(values(LAB.cache_lease_wait / 2), values(5)) == [{}, {}]

    run(work)


def test_a_stale_tweet_is_served_at_once_and_refreshed_aside_from_the_shard(run: Any, client: redis.Redis) -> None:
    async def work(here: Process, _there: Process) -> None:
        await here.ids(*TWEETS)
        for key in map(storage.tweet_key, TWEETS):
            client.set(key, soft_ttl.stamp(1000 * (time.time() - 1)) + client.get(key)[soft_ttl.DIGITS :], px=500)
        assert await here.ids(*TWEETS) == TWEETS
        assert here.counted(metrics.CACHE_STALE) == len(TWEETS)
        await soon(lambda: all(client.pttl(key) > 1000 for key in map(storage.tweet_key, TWEETS)))
        assert here.counted(metrics.COLD_BATCHES, "served") == 2
        assert (await here.cache.get(TWEETS)).stale == {}

    run(work)


def test_a_tweet_that_is_not_there_is_asked_for_again_as_soon_as_it_may_have_come(run: Any, database_port: int, execute: Any) -> None:
    async def work(here: Process, _there: Process) -> None:
        missing = ids.compose(unix_ms=time.time_ns() // 1_000_000, shard=0, process=1, sequence=0)
        assert await here.ids(missing) == []
        assert await here.ids(missing) == []
        assert here.counted(metrics.CACHE_NEGATIVE_HITS) == 1
        await asyncio.to_thread(execute, database_port, inserted(missing), "SELECT 1")

        await asyncio.sleep(LAB.negative_ttl_min)
        assert await here.ids(missing) == [missing]

    run(work)


def test_a_shard_that_does_not_answer_is_said_and_its_leases_are_given_up(stores: Stores, home: Home, client: redis.Redis) -> None:
    (nobody,) = free_ports(1)

    async def work() -> None:
        async with process(lab_of(home, database_port=nobody, cache_port=stores.cache.port), home) as here:
            found = await here.reading.multiget(TWEETS)
            assert (found.tweets, found.deleted, sorted(found.unavailable)) == ([], [], TWEETS)
            assert here.counted(metrics.COLD_BATCHES, "failed") == 1

    asyncio.run(work())
    assert client.dbsize() == 0


def test_a_cache_that_is_away_costs_a_read_and_no_tweet(run: Any, stores: Stores) -> None:
    async def work(here: Process, _there: Process) -> None:
        stores.cache.signal(signal.SIGKILL)
        stores.cache.process.wait(5)
        assert await here.ids(*TWEETS) == TWEETS

    run(work)


def test_the_simulated_device_holds_a_slot_for_each_batch_and_refuses_who_waits_too_long(home: Home) -> None:
    deciders.write(home, "simulated_cold_store", 1, by="test")
    recorder = Recorder()
    impatient = dataclasses.replace(LAB, connect_timeout=0.05)

    async def work() -> tuple[float, int]:
        device = SimulatedColdStore(deciders=Deciders(home.deciders_file), recorder=recorder, profile=impatient)

        async def read() -> bool:
            return True

        started = time.monotonic()
        results = await asyncio.gather(*(device.run(read) for _ in range(6)), return_exceptions=True)
        assert {type(result) for result in results} == {bool, errors.NeverSent}
        return time.monotonic() - started, sum(result is True for result in results)

    elapsed, served = asyncio.run(work())
    assert elapsed >= 0.02 * served
    counts = [recorder._labelled(metrics.SIMULATED_COLD_STORE, (result,))._value.get() for result in ("at_once", "waited", "refused")]
    assert counts == [1, served - 1, 6 - served]
