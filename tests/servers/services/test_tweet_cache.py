"""Fills, markers and the retries of markers, on a real Redis that comes and goes."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from reference_app.contract import storage
from reference_app.contract.topology import Kind
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.cache import Cache
from reference_app.kit.deciders import Deciders
from reference_app.services.tweets.forgetting import Forgetting
from reference_app.services.tweets.tweet_cache import TweetCache, marker_clients

VALUE = b'{"id":7}'
Work = Callable[[TweetCache, Forgetting], Awaitable[Any]]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def redis_server(start: Callable[[Kind], Any]) -> Any:
    return start("redis")


@pytest.fixture
def run(redis_server: Any, tmp_path: Path, clock: Clock) -> Callable[[Work], Any]:
    """Does something with the caches of a process."""

    async def with_caches(work: Work) -> Any:
        component, recorder = redis_server.component, Recorder()
        caches = {component.name: Cache(component, breaker=recorder.breaker(component.name))}
        markers = marker_clients([component], recorder)
        cache = TweetCache(caches, markers, deciders=Deciders(tmp_path / "deciders.json"), recorder=recorder)
        try:
            return await work(cache, Forgetting(cache, monotonic=clock))
        finally:
            for client in (*caches.values(), *markers.values()):
                await client.close()

    return lambda work: asyncio.run(with_caches(work))


def test_a_late_fill_does_not_overwrite_a_marker_but_a_marker_overwrites_a_fill(run: Any) -> None:
    async def work(cache: TweetCache, _forgetting: Forgetting) -> list[dict[int, bytes]]:
        await cache.put({7: VALUE})
        before = await cache.get([7])
        assert await cache.mark_deleted([7])
        await cache.put({7: VALUE})
        return [before, await cache.get([7])]

    assert run(work) == [{7: VALUE}, {7: storage.DELETED_TWEET}]


def test_a_marker_that_found_its_cache_away_is_set_by_the_first_retry_after_that(run: Any, redis_server: Any) -> None:
    async def work(cache: TweetCache, forgetting: Forgetting) -> list[int]:
        await cache.put({7: VALUE, 8: VALUE})
        redis_server.signal(signal.SIGSTOP)
        await forgetting.mark([7])
        for _ in range(6):  # more than open the breaker of other clients
            await forgetting.retry()
        waiting = forgetting.waiting
        redis_server.signal(signal.SIGCONT)
        await forgetting.retry()
        return [waiting, forgetting.waiting]

    assert run(work) == [1, 0]
    with redis.Redis(port=redis_server.port) as client:
        assert client.mget(["t:7", "t:8"]) == [storage.DELETED_TWEET, VALUE]


def test_retries_end_when_whatever_was_cached_has_expired(run: Any, redis_server: Any, clock: Clock) -> None:
    redis_server.signal(signal.SIGSTOP)

    async def work(_cache: TweetCache, forgetting: Forgetting) -> tuple[int, int]:
        await forgetting.mark([7])
        clock.now += 19
        await forgetting.retry()
        waiting = forgetting.waiting
        clock.now += 2
        await forgetting.retry()
        return waiting, forgetting.waiting

    assert run(work) == (1, 0)
