"""Fills, leases, markers and hot tweets, on a real Redis that comes and goes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import redis

from reference_app.contract import ids, metrics, storage
from reference_app.contract.profile import LAB
from reference_app.contract.topology import Kind
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deciders, lease_gets, soft_ttl
from reference_app.kit.cache import Cache
from reference_app.kit.deciders import Deciders
from reference_app.kit.ejection import Ejection
from reference_app.kit.home import Home
from reference_app.kit.membership import Membership
from reference_app.services.tweets.cache_nodes import CacheNodes, marker_clients
from reference_app.services.tweets.forgetting import Forgetting
from reference_app.services.tweets.tweet_cache import ABSENT, TweetCache

VALUE = b'{"id":7}'


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Process:
    """What one tweets service has."""

    cache: TweetCache
    forgetting: Forgetting
    recorder: Recorder
    clock: Clock

    def counted(self, metric: metrics.Metric, *labels: str) -> float:
        return float(self.recorder._labelled(metric, labels)._value.get())

    async def read(self, *tweet_ids: int) -> dict[int, bytes]:
        return (await self.cache.get(tweet_ids)).values

    async def fill(self, *tweet_ids: int) -> None:
        """Without a lease, as a reader who was late."""
        await self.cache.put(dict.fromkeys(tweet_ids, VALUE), dict.fromkeys(tweet_ids, ABSENT))

    async def warm(self, tweet_id: int) -> None:
        """Read so often that it is hot."""
        for _ in range(10 * int(LAB.hot_key_reads)):
            await self.cache.get([tweet_id])
        self.clock.now += 1
        await self.cache.get([tweet_id])


Work = Callable[[Process, Process], Awaitable[Any]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


PATIENT = replace(LAB, connect_timeout=1, redis_timeout=1)


@pytest.fixture
def redis_server(start: Callable[[Kind], Any]) -> Any:
    return start("redis")


@pytest.fixture
def client(redis_server: Any) -> Iterator[redis.Redis]:
    with redis.Redis(port=redis_server.port) as client:
        yield client


@contextlib.asynccontextmanager
async def process(server: Any, home: Home) -> AsyncIterator[Process]:
    component, recorder, clock = server.component, Recorder(), Clock()
    caches = {component.name: Cache(component, profile=PATIENT, breaker=recorder.breaker(component.name))}
    markers = marker_clients([component], recorder)
    cache = TweetCache(
        CacheNodes(caches, markers, Membership(home.rings_file, "tweet-cache", list(caches)), Ejection(enabled=lambda: False)),
        deciders=Deciders(home.deciders_file),
        recorder=recorder,
        monotonic=clock,
    )
    try:
        yield Process(cache, Forgetting(cache, monotonic=clock), recorder, clock)
    finally:
        for opened in (*caches.values(), *markers.values()):
            await opened.close()


@pytest.fixture
def run(redis_server: Any, home: Home) -> Callable[[Work], Any]:
    """Does something with two processes."""

    async def with_processes(work: Work) -> Any:
        async with process(redis_server, home) as first, process(redis_server, home) as second:
            return await work(first, second)

    return lambda work: asyncio.run(with_processes(work))


def test_a_late_fill_does_not_overwrite_a_marker_but_a_marker_overwrites_a_fill(run: Any) -> None:
    async def work(here: Process, _there: Process) -> list[dict[int, bytes]]:
        await here.fill(7)
        before = await here.read(7)
        assert await here.cache.mark_deleted([7])
        await here.fill(7)
        return [before, await here.read(7)]

    assert run(work) == [{7: VALUE}, {7: storage.DELETED_TWEET}]


def test_of_two_who_miss_one_gets_the_lease_and_the_other_gets_what_it_filled(run: Any) -> None:
    async def work(here: Process, there: Process) -> None:
        mine, theirs = await here.cache.claim([7]), await there.cache.claim([7])
        assert list(mine.expected) == [7]
        assert (theirs.expected, theirs.held) == ({}, [7])
        assert (await there.cache.look([7])).held == [7]
        await here.cache.put({7: VALUE}, mine.expected)
        assert (await there.cache.claim([7])).values == {7: VALUE}
        assert (here.counted(metrics.CACHE_LEASES, "granted"), there.counted(metrics.CACHE_LEASES, "waited")) == (1, 1)

    run(work)


def test_a_fill_that_comes_after_the_deletion_is_refused_even_where_the_marker_was_evicted(run: Any, client: redis.Redis) -> None:
    """The planted stale set: the row was read before the deletion, the fill comes after it and after the marker has gone."""

    async def work(here: Process, there: Process) -> tuple[dict[int, bytes], dict[int, bytes], float]:
        claims = await here.cache.claim([7])
        assert await there.cache.mark_deleted([7])
        await here.cache.put({7: VALUE}, claims.expected)
        marked = await here.read(7)
        client.delete(storage.tweet_key(7))
        await here.cache.put({7: VALUE}, claims.expected)
        return marked, await here.read(7), here.counted(metrics.CACHE_LEASES, "refused")

    assert run(work) == ({7: storage.DELETED_TWEET}, {}, 2)


def test_without_leases_the_same_late_fill_brings_the_tweet_back(run: Any, home: Home, client: redis.Redis) -> None:
    deciders.write(home, "lease_gets", deciders.OFF, by="test")

    async def work(here: Process, there: Process) -> dict[int, bytes]:
        claims = await here.cache.claim([7])
        assert await there.cache.mark_deleted([7])
        client.delete(storage.tweet_key(7))
        await here.cache.put({7: VALUE}, claims.expected)
        return await here.read(7)

    assert run(work) == {7: VALUE}


def test_a_reader_who_learned_nothing_gives_its_lease_up(run: Any, client: redis.Redis) -> None:
    async def work(here: Process, there: Process) -> list[int]:
        await here.cache.put({}, (await here.cache.claim([7])).expected)
        assert client.get(storage.tweet_key(7)) is None
        return list((await there.cache.claim([7])).expected)

    assert run(work) == [7]


def test_a_lease_ends_by_itself(run: Any, client: redis.Redis) -> None:
    async def work(here: Process, _there: Process) -> None:
        await here.cache.claim([7])

    run(work)
    assert (client.get(storage.tweet_key(7)) or b"").startswith(lease_gets.PREFIX)
    assert 0 < client.pttl(storage.tweet_key(7)) <= 1000 * LAB.cache_lease


def test_one_process_of_all_refreshes_a_stale_tweet_and_not_past_a_deletion(run: Any, client: redis.Redis) -> None:
    stale = soft_ttl.stamp(1000 * (time.time() - 1)) + VALUE

    async def work(here: Process, there: Process) -> None:
        client.set(storage.tweet_key(7), stale, px=60_000)
        found = [(await each.cache.get([7])) for each in (here, there)]
        assert [each.values for each in found] == [{7: VALUE}] * 2
        mine, theirs = [await each.cache.postpone(it.stale) for each, it in zip((here, there), found, strict=True)]
        assert (list(mine), theirs) == ([7], {})
        assert (await there.cache.get([7])).stale == {}, "others refresh it too"
        assert client.pttl(storage.tweet_key(7)) > 50_000, "the hard TTL changed without a refresh"
        await there.cache.mark_deleted([7])
        await here.cache.put({7: VALUE}, mine)
        assert await here.read(7) == {7: storage.DELETED_TWEET}

    run(work)


@pytest.mark.parametrize(("age_s", "least_ms", "most_ms"), [(1, 1, 100), (32.5, 3000, 5100), (600, 9000, 10_000)])
def test_that_there_is_no_such_tweet_is_remembered_the_longer_the_older_it_would_be(
    run: Any, client: redis.Redis, age_s: float, least_ms: int, most_ms: int
) -> None:
    tweet_id = ids.compose(unix_ms=int(1000 * (time.time() - age_s)), shard=0, process=0, sequence=0)

    async def work(here: Process, there: Process) -> float:
        await here.cache.put({tweet_id: storage.NO_TWEET}, (await here.cache.claim([tweet_id])).expected)
        ttl_ms = float(client.pttl(storage.tweet_key(tweet_id)))
        await there.cache.get([tweet_id])
        assert there.counted(metrics.CACHE_NEGATIVE_HITS) == 1
        return ttl_ms

    assert least_ms <= run(work) <= most_ms


def test_without_negative_caching_nothing_is_remembered_of_what_is_not_there(run: Any, home: Home, client: redis.Redis) -> None:
    deciders.write(home, "negative_cache", deciders.OFF, by="test")

    async def work(here: Process, _there: Process) -> None:
        await here.cache.put({7: storage.NO_TWEET}, (await here.cache.claim([7])).expected)

    run(work)
    assert client.dbsize() == 0


def test_a_hot_tweet_is_served_without_its_cache_and_forgotten_at_once_by_the_process_that_deletes_it(
    run: Any, client: redis.Redis
) -> None:
    async def work(here: Process, _there: Process) -> dict[int, bytes]:
        await here.fill(7)
        await here.warm(7)
        client.delete(storage.tweet_key(7))
        assert await here.read(7) == {7: VALUE}
        assert here.counted(metrics.HOT_KEYS_SERVED) == 1
        await here.cache.mark_deleted([7])
        return await here.read(7)

    assert run(work) == {7: storage.DELETED_TWEET}


def test_a_hot_tweet_that_another_process_deleted_is_gone_after_2_seconds(run: Any) -> None:
    async def work(here: Process, there: Process) -> tuple[dict[int, bytes], dict[int, bytes]]:
        await here.fill(7)
        await here.warm(7)
        await there.cache.mark_deleted([7])
        at_once = await here.read(7)
        here.clock.now += 2
        return at_once, await here.read(7)

    assert run(work) == ({7: VALUE}, {7: storage.DELETED_TWEET})


def test_a_cache_that_is_away_grants_nothing_and_takes_nothing(run: Any, redis_server: Any) -> None:
    async def work(here: Process, _there: Process) -> None:
        redis_server.signal(signal.SIGSTOP)
        assert await here.cache.claim([7]) == ({}, {}, [])
        await here.fill(7)
        redis_server.signal(signal.SIGCONT)

    run(work)


def test_a_marker_that_found_its_cache_away_is_set_by_the_first_retry_after_that(run: Any, redis_server: Any, client: redis.Redis) -> None:
    async def work(here: Process, _there: Process) -> list[int]:
        await here.fill(7, 8)
        redis_server.signal(signal.SIGSTOP)
        await here.forgetting.mark([7])
        for _ in range(6):  # more than open the breaker of other clients
            await here.forgetting.retry()
        waiting = here.forgetting.waiting
        redis_server.signal(signal.SIGCONT)
        await here.forgetting.retry()
        return [waiting, here.forgetting.waiting]

    assert run(work) == [1, 0]
    marked, kept = client.mget(["t:7", "t:8"])
    assert marked == storage.DELETED_TWEET
    assert kept.endswith(VALUE)


def test_retries_end_when_whatever_was_cached_has_expired(run: Any, redis_server: Any) -> None:
    redis_server.signal(signal.SIGSTOP)

    async def work(here: Process, _there: Process) -> tuple[int, int]:
        await here.forgetting.mark([7])
        here.clock.now += 19
        await here.forgetting.retry()
        waiting = here.forgetting.waiting
        here.clock.now += 2
        await here.forgetting.retry()
        return waiting, here.forgetting.waiting

    assert run(work) == (1, 0)
