"""Soft TTL, negative caching, hot keys, shared flights and gathered loads: the parts that need no server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping

import pytest

from reference_app.contract.profile import LAB, PRODUCTION
from reference_app.kit import negative, soft_ttl
from reference_app.kit.gathering import Gathering
from reference_app.kit.hot_keys import HotKeys
from reference_app.kit.single_flight import SharedFlights
from reference_app.kit.soft_ttl import Refresher


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_value_carries_the_moment_after_which_it_is_stale_with_jitter() -> None:
    rng = random.Random(1)
    moments = {int(soft_ttl.stamped(b"v", now_ms=1e12, ttl_s=10, jitter=0.1, rng=rng)[: soft_ttl.DIGITS]) - 10**12 for _ in range(200)}
    assert min(moments) >= 9000
    assert max(moments) <= 11000
    assert len(moments) > 150, "what was filled together goes stale together"


def test_a_value_is_past_its_moment_by_one_comparison_of_bytes() -> None:
    stored = soft_ttl.stamp(1_000_000) + b'{"id":7}'
    assert not stored < soft_ttl.stamp(1_000_000)
    assert stored < soft_ttl.stamp(1_000_001)
    later = soft_ttl.postponed(stored, now_ms=1_000_001, by_s=2)
    assert not later < soft_ttl.stamp(1_002_001)
    assert later[soft_ttl.DIGITS :] == b'{"id":7}'


def test_what_is_stale_is_refreshed_once_aside_and_more_than_fits_is_dropped() -> None:
    batches: list[Mapping[int, bytes]] = []

    async def refresh(stale: Mapping[int, bytes]) -> None:
        batches.append(stale)

    async def work() -> None:
        refresher = Refresher(refresh, gather_s=0, size=3)
        refresher.want({1: b"a", 2: b"b"})
        refresher.want({2: b"b", 3: b"c", 4: b"d"})
        task = asyncio.ensure_future(refresher.run())
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(work())
    assert batches == [{1: b"a", 2: b"b", 3: b"c"}]


@pytest.mark.parametrize(
    ("age_s", "ttl_s"), [(0, 0.1), (299, 0.1), (300, 0.1), ((300 + 18000) / 2, (0.1 + 86400) / 2), (18000, 86400), (1e9, 86400)]
)
def test_not_found_holds_the_longer_the_older_the_tweet_would_be(age_s: float, ttl_s: float) -> None:
    assert negative.ttl_s(age_s, PRODUCTION) == pytest.approx(ttl_s)


def test_an_id_of_the_future_is_as_young_as_can_be() -> None:
    assert negative.ttl_s(-1e9, LAB) == LAB.negative_ttl_min


def reads(hot: HotKeys[str, int], clock: Clock, key: str, times: int) -> None:
    """So many reads within a window, and the one that ends it."""
    for _ in range(times):
        hot.get([key])
    clock.now += 1
    hot.get([])


def test_only_a_key_that_is_read_often_is_kept_and_for_its_ttl_only() -> None:
    clock = Clock()
    hot: HotKeys[str, int] = HotKeys(per_s=10, ttl_s=2, size=10, monotonic=clock)
    reads(hot, clock, "cold", 9)
    reads(hot, clock, "hot", 40)
    hot.offer({"hot": 1, "cold": 2})
    assert hot.get(["hot", "cold"]) == {"hot": 1}
    clock.now += 0.99
    assert hot.get(["hot"]) == {"hot": 1}
    clock.now += 1.01
    assert hot.get(["hot"]) == {}


def test_one_reader_renews_a_copy_while_it_serves_the_others_and_another_one_if_nothing_came_of_it() -> None:
    clock = Clock()
    hot: HotKeys[str, int] = HotKeys(per_s=10, ttl_s=2, size=10, monotonic=clock)
    reads(hot, clock, "hot", 40)
    hot.offer({"hot": 1})
    clock.now += 1
    assert [hot.get(["hot"]) for _ in range(3)] == [{}, {"hot": 1}, {"hot": 1}]
    clock.now += 0.25
    assert [hot.get(["hot"]) for _ in range(3)] == [{}, {"hot": 1}, {"hot": 1}]
    reads(hot, clock, "hot", 0)
    assert hot.get(["hot"]) == {}, "nobody renewed it"


def test_a_renewed_copy_is_kept_for_its_ttl_from_then_on() -> None:
    clock = Clock()
    hot: HotKeys[str, int] = HotKeys(per_s=10, ttl_s=2, size=10, monotonic=clock)
    for value in range(3):
        reads(hot, clock, "hot", 40)
        hot.offer({"hot": value})
    clock.now += 0.99
    assert hot.get(["hot"]) == {"hot": 2}


def test_a_hot_key_that_is_read_no_more_is_hot_no_more_and_a_dropped_value_is_gone_at_once() -> None:
    clock = Clock()
    hot: HotKeys[str, int] = HotKeys(per_s=10, ttl_s=2, size=10, monotonic=clock)
    reads(hot, clock, "a", 40)
    hot.offer({"a": 1})
    hot.drop(["a", "unknown"])
    assert hot.get(["a"]) == {}
    reads(hot, clock, "a", 0)
    hot.offer({"a": 1})
    assert hot.get(["a"]) == {}


def test_the_longest_held_hot_key_makes_room() -> None:
    clock = Clock()
    hot: HotKeys[int, int] = HotKeys(per_s=1, ttl_s=4, size=2, monotonic=clock)
    for window in ((1, 2), (3,)):
        for _ in range(40):
            hot.get(window)
        clock.now += 1
        hot.get([])
        hot.offer(dict.fromkeys(window, 0))
    assert hot.get([1, 2, 3]) == {2: 0, 3: 0}


def test_what_another_caller_reads_already_is_waited_for_and_the_rest_is_one_execution() -> None:
    asked: list[list[int]] = []
    release = asyncio.Event()

    async def read(keys: list[int]) -> dict[int, str]:
        asked.append(keys)
        await release.wait()
        return {key: f"v{key}" for key in keys if key != 9}

    async def work() -> list[dict[int, str]]:
        flights: SharedFlights[int, str] = SharedFlights()
        callers = asyncio.gather(*(flights.run(keys, read) for keys in ([1, 2], [2, 3, 9], [1, 3])))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        release.set()
        return list(await callers)

    assert asyncio.run(work()) == [{1: "v1", 2: "v2"}, {2: "v2", 3: "v3"}, {1: "v1", 3: "v3"}]
    assert asked == [[1, 2], [3, 9]]


def test_an_execution_outlives_the_caller_who_began_it_and_its_error_is_everybodys() -> None:
    release = asyncio.Event()

    async def fail(_keys: list[int]) -> dict[int, str]:
        await release.wait()
        raise LookupError("gone")

    async def work() -> tuple[object, int]:
        flights: SharedFlights[int, str] = SharedFlights()
        first, second = (asyncio.ensure_future(flights.run([1], fail)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        release.set()
        (error,) = await asyncio.gather(second, return_exceptions=True)
        return error, len(flights._flights)

    error, left = asyncio.run(work())
    assert isinstance(error, LookupError)
    assert left == 0


def test_keys_that_come_while_all_lanes_are_busy_leave_together() -> None:
    asked: list[list[int]] = []

    async def load(keys: list[int]) -> dict[int, int]:
        asked.append(keys)
        await asyncio.sleep(0.001)
        return {key: -key for key in keys if key != 5}

    async def work() -> list[dict[int, int]]:
        gathering = Gathering(load, lanes=1, size=3)
        return list(await asyncio.gather(*(gathering.get(keys) for keys in ([1], [2, 3], [4, 5], [3]))))

    assert asyncio.run(work()) == [{1: -1}, {2: -2, 3: -3}, {4: -4}, {3: -3}]
    assert asked == [[1], [2, 3, 4], [5]]


def test_an_error_of_a_batch_reaches_its_callers_and_ends_nothing_else() -> None:
    async def load(keys: list[int]) -> dict[int, int]:
        await asyncio.sleep(0)
        if 1 in keys:
            raise LookupError("gone")
        return {key: key for key in keys}

    async def work() -> list[object]:
        gathering = Gathering(load, lanes=1, size=3)
        return list(await asyncio.gather(gathering.get([1]), gathering.get([2]), return_exceptions=True))

    first, second = asyncio.run(work())
    assert isinstance(first, LookupError)
    assert second == {2: 2}
