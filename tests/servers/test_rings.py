"""Nodes leave a ring and come back, on real Redis servers: nothing that went stale meanwhile is ever served."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from reference_app.contract import storage
from reference_app.contract.topology import Component, Kind, Lab
from reference_app.kit import deciders, files, membership
from reference_app.kit.home import Home
from reference_app.kit.ring import Ring
from reference_app.stack import rings

BASE = 2_100_000_000_000_000_000
USERS = range(1, 60)
TIMELINES, TWEETS = "timeline-cache", "tweet-cache"


class Clock:
    """Time passes when somebody sleeps."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Rig:
    """A lab that has nothing but two caches of a group, and what services do with them."""

    home: Home
    lab: Lab
    group: str
    clients: dict[str, redis.Redis]
    servers: list[Any]
    clock: Clock
    membership: membership.Membership

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.clients)

    def change(self, *wanted: str) -> list[str]:
        """Steps of the change."""
        said: list[str] = []
        rings.change(self.home, self.group, wanted, by="test", say=said.append, clock=self.clock, sleep=self.clock.sleep)
        return said

    def ring(self) -> Ring:
        return self.membership.ring

    def script(self, user: int, name: str, *arguments: object) -> Any:
        return self.clients[self.ring().node_of(user)].eval(storage.script(name), 1, storage.TIMELINE_EPOCH_KEY, *arguments)

    def post(self, tweet_id: int, *users: int) -> None:
        for user in users:
            self.script(user, "deliver", tweet_id, "", storage.TIMELINE_TRIM_AT, storage.TIMELINE_LENGTH, json.dumps([user]))

    def read(self, user: int, *source: int) -> list[int]:
        """A home read: the list, rebuilt from the source on a miss."""
        _, state, ids = self.script(user, "read", user, -1)
        if state == b"ready":
            return [int(value) for value in ids]
        epoch = self.script(user, "begin", user, 5000)
        self.script(user, "merge", user, epoch, storage.TIMELINE_LENGTH, 0, *source)
        return self.read(user)


@pytest.fixture
def rig(start: Callable[[Kind], Any], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    group = getattr(request, "param", TIMELINES)
    servers = [start("redis"), start("redis")]
    caches = tuple(Component(f"{group}-{n}", "redis", group, n, server.port, shard=f"{group}-{n}") for n, server in enumerate(servers))
    lab = Lab(str(tmp_path), "test", 0, caches, signing_key="", supervisor_password="")
    files.write_json(Home(tmp_path).lab_file, lab)
    clients = {cache.name: redis.Redis(port=cache.port) for cache in caches}
    clock = Clock()
    seen = membership.Membership(Home(tmp_path).rings_file, group, list(clients), clock=clock)
    yield Rig(Home(tmp_path), lab, group, clients, servers, clock, seen)
    for server, client in zip(servers, clients.values(), strict=True):
        server.signal(signal.SIGCONT)
        client.close()


def test_a_cache_that_was_out_of_the_ring_serves_no_list_from_before(rig: Rig) -> None:
    assert all(rig.read(user, BASE) == [BASE] for user in USERS)
    rig.change("timeline-cache-0")
    assert all(rig.read(user, BASE) == [BASE] for user in USERS)
    rig.post(BASE + 1, *USERS)
    rig.change(*rig.names)
    assert all(rig.read(user, BASE + 1, BASE) == [BASE + 1, BASE] for user in USERS)


def test_a_cache_serves_no_list_that_another_one_had_meanwhile(rig: Rig) -> None:
    rig.change("timeline-cache-0")
    assert all(rig.read(user, BASE) == [BASE] for user in USERS)
    kept = rig.clients["timeline-cache-0"].dbsize()
    rig.change(*rig.names)
    assert rig.clients["timeline-cache-0"].dbsize() < kept, "what moved to the other one takes no memory here"
    rig.post(BASE + 1, *USERS)
    rig.change("timeline-cache-0")
    assert all(rig.read(user, BASE + 1, BASE) == [BASE + 1, BASE] for user in USERS)


def test_a_ring_that_is_changed_without_that_serves_stale_lists(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The incident of 2011-08, planted: it shows that the tests above would notice."""
    monkeypatch.setattr(rings, "_prepare", lambda *_: None)
    assert all(rig.read(user, BASE) == [BASE] for user in USERS)
    rig.change("timeline-cache-0")
    rig.post(BASE + 1, *USERS)
    rig.change(*rig.names)
    assert any(rig.read(user, BASE + 1, BASE) == [BASE] for user in USERS)


def test_a_rebuild_that_began_before_its_cache_was_emptied_stores_nothing(rig: Rig) -> None:
    user = next(user for user in USERS if rig.ring().node_of(user) == "timeline-cache-1")
    epoch = rig.script(user, "begin", user, 5000)
    rig.change("timeline-cache-0")
    rig.change(*rig.names)
    assert rig.script(user, "merge", user, epoch, storage.TIMELINE_LENGTH, 0, BASE) == 0


@pytest.mark.parametrize("rig", [TWEETS], indirect=True)
def test_a_tweet_that_was_deleted_while_its_cache_was_out_does_not_come_back(rig: Rig) -> None:
    for tweet_id in USERS:
        rig.clients[rig.ring().node_of(tweet_id)].set(storage.tweet_key(tweet_id), b"{}")
    rig.change("tweet-cache-0")
    for tweet_id in USERS:
        rig.clients["tweet-cache-0"].set(storage.tweet_key(tweet_id), storage.DELETED_TWEET)
    rig.change(*rig.names)
    assert {rig.clients[rig.ring().node_of(tweet_id)].get(storage.tweet_key(tweet_id)) for tweet_id in USERS} == {
        storage.DELETED_TWEET,
        None,
    }


def test_a_cache_that_does_not_answer_can_neither_join_nor_gain_keys(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rings, "ANSWER_S", 0.1)
    rig.change("timeline-cache-0")
    rig.servers[1].signal(signal.SIGSTOP)
    with pytest.raises(rings.RingError, match="timeline-cache-1 does not answer"):
        rig.change(*rig.names)
    rig.servers[1].signal(signal.SIGCONT)
    rig.change(*rig.names)
    rig.servers[0].signal(signal.SIGSTOP)
    with pytest.raises(rings.RingError, match="timeline-cache-0 does not answer"):
        rig.change("timeline-cache-0")
    assert rig.ring().nodes == rig.names
    rig.change("timeline-cache-1")
    assert rig.ring().nodes == ("timeline-cache-1",)


def test_a_guarded_ring_changes_node_by_node_and_an_unguarded_one_at_once(rig: Rig) -> None:
    others = ("timeline-cache-1",)
    rig.change("timeline-cache-0")
    assert rig.change(*others) == [
        "the ring of timeline-cache: timeline-cache-0 timeline-cache-1",
        "the ring of timeline-cache: timeline-cache-1",
    ]
    deciders.write(rig.home, "ring_guard", deciders.OFF, by="test")
    assert rig.change("timeline-cache-0") == ["the ring of timeline-cache: timeline-cache-0"]


@pytest.mark.parametrize(
    ("group", "wanted", "complaint"), [("lunch", ["a"], "no ring"), (TIMELINES, ["lunch"], "lunch"), (TIMELINES, [], "none")]
)
def test_what_is_no_ring_or_no_cache_is_refused(rig: Rig, group: str, wanted: list[str], complaint: str) -> None:
    with pytest.raises(rings.RingError, match=complaint):
        rings.change(rig.home, group, wanted, by="test", say=print)
