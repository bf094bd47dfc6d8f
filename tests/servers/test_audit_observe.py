# ruff: noqa: S608 - statements are made of this file's own numbers
"""What `observe` reads, on real servers without the app: every state is laid out by hand."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import nats
import pytest
import redis

from chaos.audit import observe
from chaos.audit.model import Observed, Row
from reference_app.contract import ids, storage
from reference_app.contract.topology import Component, Lab
from reference_app.kit import ring

Execute = Callable[..., list[tuple[Any, ...]]]
NOW = time.time()
AUTHOR, FOLLOWERS = 1, (2, 3, 4, 5)
FOLLOW = "INSERT INTO followees (follower_id, followee_id) VALUES"


def tweet_id(n: int, shard: int = 0, *, age_s: float = 0) -> int:
    return ids.compose(unix_ms=int((NOW - age_s) * 1000) + n, shard=shard, process=0, sequence=0)


@dataclass
class World:
    """Two tweet shards, the first with a replica (here a server of its own), a graph database, two caches, a stream."""

    servers: dict[str, Any]
    lab: Lab
    execute: Execute

    def observe(self, *, celebrity_over: int = 10_000) -> Observed:
        return observe.observe(self.lab, since=NOW, authors=[AUTHOR], celebrity_over=celebrity_over)

    def sql(self, name: str, *statements: str) -> None:
        self.execute(self.servers[name].port, f"USE {storage.DATABASE}", *statements)

    def cache_of(self, user: int) -> redis.Redis:
        name = ring.Ring([c.name for c in self.lab.group("timeline-cache")]).node_of(user)
        return redis.Redis(port=self.servers[name].port, decode_responses=True)

    def put_list(self, user: int, *elements: object, epoch: int = 0) -> None:
        with self.cache_of(user) as client:
            client.rpush(storage.timeline_key(user, epoch), *map(str, elements))


def statements(schema: str) -> list[str]:
    text = (resources.files("reference_app.contract") / "schema" / schema).read_text()
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [statement for statement in bare.split(";") if statement.strip()]


def component(name: str, server: Any) -> Component:
    group, index, *role = name.rsplit("-", 2) if name.endswith(("primary", "replica")) else name.rsplit("-", 1)
    return Component(name, server.component.kind, group, int(index), server.port, *role, shard=f"{group}-{index}")


def provision(world: World, name: str, schema: str) -> None:
    shard = world.lab.component(name).shard
    world.execute(
        world.servers[name].port,
        f"CREATE DATABASE {storage.DATABASE}",
        f"USE {storage.DATABASE}",
        *statements(schema),
        *statements("identity.sql"),
        f"INSERT INTO identity VALUES ('{shard}', '{world.lab.identity_key}')",
    )


async def make_consumer(port: int, *, events: int) -> None:
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    stream = client.jetstream()
    await stream.add_stream(name=storage.STREAM, subjects=["tweets.*"])
    await stream.pull_subscribe(storage.SUBJECT_POSTED, durable=storage.FANOUT_CONSUMER)
    for _ in range(events):
        await stream.publish(storage.SUBJECT_POSTED, b"{}")
    await client.close()


@pytest.fixture
def world(start: Any, execute: Execute) -> World:
    mariadb = ("tweets-db-0-primary", "tweets-db-0-replica", "tweets-db-1-primary", "graph-db-0")
    servers = {name: start("mariadb") for name in mariadb}
    servers |= {name: start("redis") for name in ("timeline-cache-0", "timeline-cache-1")}
    servers["events-0"] = start("nats")
    lab = Lab("", "test", 0, tuple(component(*item) for item in servers.items()), signing_key="secret", supervisor_password="")
    made = World(servers, lab, execute)
    for name in mariadb:
        provision(made, name, "graph.sql" if name == "graph-db-0" else "tweets.sql")
    asyncio.run(make_consumer(servers["events-0"].port, events=0))
    made.sql("graph-db-0", *(f"{FOLLOW} ({user}, {AUTHOR})" for user in FOLLOWERS), f"{FOLLOW} (1, 2)")
    return made


def insert(n: int, *, shard: int = 0, age_s: float = 0, deleted: str = "NULL", twin: str = "NULL") -> str:
    values = f"{tweet_id(n, shard, age_s=age_s)}, {AUTHOR}, 'k{n}', 'hi', {deleted}, {twin}"
    return f"INSERT INTO tweets (id, user_id, idempotency_key, text, deleted_at, duplicate_of) VALUES ({values})"


def test_rows_edges_lists_and_backlogs_are_read_as_they_are(world: World) -> None:
    world.sql("tweets-db-0-primary", insert(1), insert(2, deleted="5", twin="7"), insert(3, age_s=60))
    world.sql("tweets-db-1-primary", insert(4, shard=1))
    world.sql("tweets-db-1-primary", "INSERT INTO outbox (subject, payload, created_ms) VALUES ('tweets.posted', '{}', 1)")
    old = tweet_id(3, age_s=60)
    world.put_list(2, tweet_id(1), old, old, storage.TIMELINE_READY)
    world.put_list(3, tweet_id(1), storage.TIMELINE_BUILDING)
    with world.cache_of(4) as client:
        client.set(storage.TIMELINE_EPOCH_KEY, 3)
    world.put_list(4, tweet_id(1), storage.TIMELINE_READY)

    observed = world.observe()

    assert observed.reasons == ()
    assert observed.shards[0].rows == (
        Row(tweet_id(1), AUTHOR, "k1", deleted=False, duplicate_of=None, shard=0),
        Row(tweet_id(2), AUTHOR, "k2", deleted=True, duplicate_of=7, shard=0),
    )
    assert [shard.outbox_unpublished for shard in observed.shards] == [0, 1]
    assert observed.outbox_unpublished == 1
    assert observed.followers == {AUTHOR: frozenset(FOLLOWERS)}
    assert observed.stream_pending == 0
    assert observed.timelines is not None
    full = observed.timelines[2]
    assert (full.state, full.ids, full.length, full.oldest_id) == ("ready", {tweet_id(1)}, 2, old)
    assert observed.timelines[3].state == "building"
    assert (observed.timelines[4].state, observed.timelines[4].epoch) == ("absent", 3), "its list is of an older epoch"
    assert observed.timelines[5].state == "absent"


def test_events_that_nobody_took_yet_are_backlog(world: World) -> None:
    asyncio.run(make_consumer(world.servers["events-0"].port, events=2))
    assert world.observe().stream_pending == 2


def test_the_replica_is_read_when_the_primary_is_dead_or_hangs(world: World) -> None:
    world.sql("tweets-db-0-replica", insert(1))
    primary = world.servers["tweets-db-0-primary"]
    for number, why in ((signal.SIGSTOP, "does not answer"), (signal.SIGKILL, "cannot be read")):
        primary.signal(number)
        began = time.monotonic()
        shard = world.observe().shards[0]
        assert time.monotonic() - began < 5
        assert (shard.source, shard.complete, len(shard.rows)) == ("replica", True, 1)
        assert "tweets-db-0-primary" in shard.detail
        assert why in shard.detail


@pytest.mark.parametrize(
    "wipe",
    [
        "DROP DATABASE failwhale",
        "DROP TABLE identity",
        "DELETE FROM identity",
        "UPDATE identity SET lab_key = 'of another lab'",
    ],
)
def test_a_database_that_is_not_the_labs_own_is_not_believed_and_its_replica_not_asked(world: World, wipe: str) -> None:
    world.sql("tweets-db-0-replica", insert(1))
    world.sql("tweets-db-0-primary", wipe)
    shard = world.observe().shards[0]
    assert (shard.complete, shard.rows) == (False, ())
    assert "wiped" in shard.detail or "replaced" in shard.detail


def test_a_shard_without_any_server_is_incomplete_and_says_who_did_not_answer(world: World) -> None:
    world.servers["tweets-db-1-primary"].signal(signal.SIGKILL)
    world.servers["tweets-db-1-primary"].process.wait(10)
    observed = world.observe()
    assert [shard.complete for shard in observed.shards] == [True, False]
    assert "tweets-db-1-primary" in observed.shards[1].detail


def test_dead_helpers_are_named_and_do_not_end_the_observation(world: World) -> None:
    for name in ("timeline-cache-0", "events-0"):
        world.servers[name].signal(signal.SIGKILL)
        world.servers[name].process.wait(10)
    observed = world.observe()
    assert observed.stream_pending is None
    assert [name for name in ("events-0", "timeline-cache-0") if any(name in reason for reason in observed.reasons)] == [
        "events-0",
        "timeline-cache-0",
    ]
    world.servers["graph-db-0"].signal(signal.SIGKILL)
    world.servers["graph-db-0"].process.wait(10)
    observed = world.observe()
    assert (observed.followers, observed.timelines) == (None, None)


def test_follow_edges_are_the_active_forward_rows_of_all_graph_shards(world: World) -> None:
    second = replace(world.lab.component("tweets-db-1-primary"), name="graph-db-1", group="graph-db", index=1, shard="graph-db-1")
    lab = replace(world.lab, components=(*world.lab.components, second))
    identity = f"INSERT INTO identity VALUES ('graph-db-1', '{lab.identity_key}')"
    world.sql("tweets-db-1-primary", *statements("graph.sql"), identity, f"{FOLLOW} (7, {AUTHOR}), (9, {AUTHOR})")
    world.sql("tweets-db-1-primary", "UPDATE followees SET active = 0 WHERE follower_id = 9")
    world.sql("graph-db-0", f"INSERT INTO followers (followee_id, follower_id) VALUES ({AUTHOR}, 11)")
    assert replace(world, lab=lab).observe().followers == {AUTHOR: frozenset({*FOLLOWERS, 7})}


def test_authors_whose_tweets_are_merged_at_read_are_left_out(world: World) -> None:
    assert (world.observe(celebrity_over=4).followers, world.observe(celebrity_over=3).followers) == ({AUTHOR: frozenset(FOLLOWERS)}, {})


def test_beyond_its_newest_800_ids_a_list_promises_nothing(world: World) -> None:
    late = tweet_id(0)
    world.put_list(2, late, *(tweet_id(n) for n in range(810, 5, -1)), storage.TIMELINE_READY)
    timelines = world.observe().timelines
    assert timelines is not None
    assert (timelines[2].length, timelines[2].oldest_id) == (806, tweet_id(11))


@pytest.mark.verify
def test_two_thousand_tweets_and_a_thousand_full_lists_are_read_within_ten_seconds(world: World) -> None:
    rows = ", ".join(f"({tweet_id(n)}, {AUTHOR}, 'k{n}', 'hi')" for n in range(2000))
    world.sql("tweets-db-0-primary", f"INSERT INTO tweets (id, user_id, idempotency_key, text) VALUES {rows}")
    world.sql("graph-db-0", f"{FOLLOW} " + ", ".join(f"({user}, {AUTHOR})" for user in range(1000, 2000)))
    for user in range(1000, 2000):
        world.put_list(user, *(tweet_id(n) for n in range(1999, 1199, -1)), storage.TIMELINE_READY)
    began = time.monotonic()
    observed = world.observe()
    assert time.monotonic() - began < 10
    assert observed.timelines is not None
    assert len(observed.shards[0].rows) == 2000
    assert sum(timeline.length == 800 for timeline in observed.timelines.values()) == 1000


def test_an_empty_lab_is_observed_as_empty(world: World) -> None:
    observed = observe.observe(replace(world.lab), since=NOW, authors=[], celebrity_over=0)
    assert (observed.followers, observed.timelines, observed.outbox_unpublished) == ({}, {}, 0)
