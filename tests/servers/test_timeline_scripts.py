"""The Lua scripts that own the timeline list, on a real Redis."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from reference_app.contract import storage
from reference_app.contract.topology import Kind

BASE = 2_100_000_000_000_000_000
USER, OTHER = 7, 8


class Lists:
    """The scripts as the services call them."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

    def run(self, name: str, *arguments: object) -> Any:
        return self.client.eval(storage.script(name), 1, storage.TIMELINE_EPOCH_KEY, *arguments)  # type: ignore[no-untyped-call]

    def deliver(self, tweet_id: int, *users: int, attempt: str = "") -> int:
        return int(self.run("deliver", tweet_id, attempt, storage.TIMELINE_TRIM_AT, storage.TIMELINE_LENGTH, json.dumps(users)))

    def rebuild(self, *ids: int, user: int = USER, ttl_ms: int = 0) -> int:
        return int(self.run("merge", user, self.run("begin", user, 5000), storage.TIMELINE_LENGTH, ttl_ms, *ids))

    def read(self, user: int = USER) -> tuple[str, list[int]]:
        _, state, ids = self.run("read", user, -1)
        return state.decode(), [int(value) for value in ids]


@pytest.fixture
def lists(start: Callable[[Kind], Any]) -> Iterator[Lists]:
    with redis.Redis(port=start("redis").port) as client:
        client.flushall()
        yield Lists(client)


def test_a_list_that_does_not_exist_is_not_delivered_to(lists: Lists) -> None:
    lists.rebuild(user=OTHER)
    assert lists.deliver(BASE, USER, OTHER) == 1
    assert (lists.read(USER), lists.read(OTHER)) == (("absent", []), ("ready", [BASE]))


def test_what_arrives_during_a_rebuild_is_merged_and_not_shown_before(lists: Lists) -> None:
    epoch = lists.run("begin", USER, 5000)
    assert lists.deliver(BASE + 5, USER) == 1
    assert lists.read() == ("building", [])
    assert lists.run("merge", USER, epoch, 800, 0, BASE + 1, BASE + 5, BASE + 3) == 1
    assert lists.read() == ("ready", [BASE + 5, BASE + 3, BASE + 1])


def test_what_arrives_between_the_begins_of_two_rebuilds_is_in_the_list_whichever_ends_first(lists: Lists) -> None:
    first = lists.run("begin", USER, 5000)
    assert lists.deliver(BASE + 5, USER) == 1
    second = lists.run("begin", USER, 5000)
    assert lists.run("merge", USER, first, 800, 0, BASE + 1) == 1
    assert lists.run("merge", USER, second, 800, 0, BASE + 1, BASE + 5) == 0
    assert lists.read() == ("ready", [BASE + 5, BASE + 1])


def test_a_list_that_was_flushed_during_its_rebuild_is_not_stored(lists: Lists) -> None:
    epoch = lists.run("begin", USER, 5000)
    lists.client.flushall()
    assert lists.run("merge", USER, epoch, 800, 0, BASE) == 0
    assert lists.read() == ("absent", [])


def test_a_bumped_epoch_makes_lists_misses_and_stops_a_rebuild(lists: Lists) -> None:
    lists.rebuild(BASE)
    epoch = lists.run("begin", OTHER, 5000)
    lists.client.incr(storage.TIMELINE_EPOCH_KEY)
    assert lists.read() == ("absent", [])
    assert lists.run("merge", OTHER, epoch, 800, 0, BASE) == 0


def test_a_long_list_is_cut_by_id_and_holds_an_id_once(lists: Lists) -> None:
    ids = [BASE + n for n in range(storage.TIMELINE_TRIM_AT)]
    shuffled = random.Random(3).sample(ids, len(ids))
    lists.rebuild()
    for tweet_id in [ids[-1], *shuffled]:
        lists.deliver(tweet_id, USER)
    state, kept = lists.read()
    assert (state, kept) == ("ready", sorted(set(kept), reverse=True))
    assert set(ids[-storage.TIMELINE_LENGTH :]) <= set(kept)
    assert len(kept) < storage.TIMELINE_TRIM_AT


def test_what_comes_late_goes_to_its_place_and_what_comes_twice_changes_nothing(lists: Lists) -> None:
    lists.rebuild(BASE + 40, BASE + 20, ttl_ms=9000)
    for offset in (30, 50, 10, 30, 50, 20):
        assert lists.deliver(BASE + offset, USER) == 1
    assert lists.read() == ("partial", [BASE + offset for offset in (50, 40, 30, 20, 10)])
    assert lists.client.pttl(storage.timeline_key(USER, 0)) > 0


def test_lists_are_rebuilt_when_the_celebrity_threshold_rises_and_only_then(lists: Lists) -> None:
    def epoch() -> int:
        return int(lists.client.get(storage.TIMELINE_EPOCH_KEY) or 0)

    for threshold, before, expected in ((1000, 0, 0), (1000, 1000, 0), (10, 1000, 0), (500, 10, 1), (500, 500, 1), (1000, 500, 2)):
        was = epoch()
        assert (lists.run("threshold", threshold, before), epoch()) == (expected - was, expected)
    lists.client.flushall()
    assert lists.run("threshold", 2000, 1000) == 1, "a cache that forgot is judged by what its caller told it before"


def test_a_partial_list_expires_and_a_whole_one_stays(lists: Lists) -> None:
    lists.rebuild(BASE, ttl_ms=2000)
    lists.rebuild(BASE, user=OTHER)
    assert 0 < lists.client.pttl(storage.timeline_key(USER, 0)) <= 2000
    assert lists.client.pttl(storage.timeline_key(OTHER, 0)) == -1


def test_an_attempt_reaches_each_list_once_and_another_one_changes_nothing(lists: Lists) -> None:
    users = range(1, 9)
    for user in users:
        lists.rebuild(BASE, user=user)
    assert lists.deliver(BASE + 1, *users[:4], attempt="first") == 4
    assert lists.deliver(BASE + 1, *users[4:], attempt="first") == 4
    assert lists.deliver(BASE + 1, *users, attempt="second") == 8
    assert lists.deliver(BASE + 1, *users) == 8
    assert all(lists.read(user) == ("ready", [BASE + 1, BASE]) for user in users)


def test_what_a_rebuild_read_from_the_source_is_not_pushed_again_by_the_delivery_that_comes_behind(lists: Lists) -> None:
    lists.rebuild()
    lists.rebuild(user=OTHER)
    assert lists.deliver(BASE + 1, OTHER, attempt="first") == 1
    lists.rebuild(BASE + 1)
    assert lists.deliver(BASE + 1, USER, attempt="first") == 1
    assert lists.read() == ("ready", [BASE + 1])


def test_lists_are_sorted_and_hold_an_id_once_whatever_comes_in_which_order(lists: Lists) -> None:
    """Deliveries in pieces, in any order, repeated by the same or by other attempts, among rebuilds that read the newest tweets."""
    rng = random.Random(5)
    users = range(1, 7)
    expected: dict[int, set[int]] = {user: set() for user in users}
    pieces = [(BASE + n, half) for n in rng.sample(range(40), 40) for half in (users[:3], users[3:])]
    for user in users:
        lists.rebuild(user=user)
    for tweet_id, half in pieces:
        for _ in range(rng.choice((1, 1, 2))):
            lists.deliver(tweet_id, *half, attempt=rng.choice(("", f"{tweet_id}-{rng.random()}")))
        for user in half:
            expected[user].add(tweet_id)
        if rng.random() < 0.3:
            rebuilt = rng.choice(users)
            expected[rebuilt].add(tweet_id)
            lists.rebuild(*expected[rebuilt], user=rebuilt)
    assert all(lists.read(user) == ("ready", sorted(expected[user], reverse=True)) for user in users)


def test_a_cache_that_is_invalidated_is_empty_and_keeps_its_epoch_and_threshold_even_with_its_memory_full(lists: Lists) -> None:
    lists.rebuild(BASE)
    lists.run("threshold", 1000, 0)
    lists.client.config_set("maxmemory", 1)
    with pytest.raises(redis.ResponseError, match="maxmemory"):
        lists.client.set("something", "more")
    assert lists.run("invalidate") == 1
    lists.client.config_set("maxmemory", 0)
    assert lists.client.dbsize() == 2
    assert lists.read() == ("absent", [])
    assert lists.run("threshold", 1000, 1) == 0, "it knows the threshold"
