"""What fan-out tells a real Redis of the celebrity threshold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from reference_app.contract import storage
from reference_app.contract.topology import Kind
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deciders, files
from reference_app.kit.cache import Cache
from reference_app.services.fanout.threshold import REPEAT_SECONDS, Threshold


class World:
    """One cache, the file of the deciders, and a clock that stands."""

    def __init__(self, server: Any, path: Path) -> None:
        self.client, self.path, self.now = redis.Redis(port=server.port), path, 0.0
        self.cache = Cache(server.component, breaker=Recorder().breaker("cache"))
        self.threshold = Threshold({"cache": self.cache}, deciders.Deciders(path, monotonic=self.clock), monotonic=self.clock)

    def clock(self) -> float:
        return self.now

    def epoch(self) -> int:
        return int(self.client.get(storage.TIMELINE_EPOCH_KEY) or 0)  # type: ignore[arg-type]

    async def tell(self, value: int, *, after_s: float = 1) -> int:
        """The epoch once the cache was told, if it was due."""
        files.write_json(self.path, {"celebrity_followers": value})
        self.now += after_s
        await self.threshold.tell()
        return self.epoch()


@pytest.fixture
def world(start: Callable[[Kind], Any], tmp_path: Path) -> World:
    return World(start("redis"), tmp_path / "deciders.json")


def test_lists_are_rebuilt_once_per_rise_of_the_threshold(world: World) -> None:
    async def play() -> None:
        assert [await world.tell(value) for value in (1000, 1000, 10, 500, 500, 0, 1, 2)] == [0, 0, 0, 1, 1, 1, 1, 2]
        await world.cache.close()

    asyncio.run(play())


def test_a_cache_that_was_emptied_is_told_again_and_misses_no_rise(world: World) -> None:
    async def play() -> None:
        await world.tell(10)
        world.client.flushall()
        assert await world.tell(1000) == 1
        world.client.flushall()
        await world.tell(1000, after_s=REPEAT_SECONDS)
        assert world.client.get("celebrity_followers") == b"1000"
        await world.cache.close()

    asyncio.run(play())
