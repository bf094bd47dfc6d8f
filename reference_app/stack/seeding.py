"""Puts a graph into a lab: users and follows, and nothing else left of the users before.

Tables are loaded aside and take their names at the end, so a failure on the way changes nothing.
While the rest is cleared (ids are used again) there is no `seed.json`: a lab that has one holds exactly what it says.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence

import nats
import numpy as np
from asyncmy.errors import MySQLError
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from reference_app.contract import storage
from reference_app.contract.seed import Seed
from reference_app.contract.topology import Component, Lab
from reference_app.kit import files, lease
from reference_app.kit.home import Home
from reference_app.stack import errors, loading, questions, shards, suggesting
from reference_app.stack.graphs import Graph
from reference_app.stack.loading import Report, Step, Table

CATCH_UP_S = 60
_AGAIN = "The lab holds no complete seed: run `failwhale seed` again"


class SeedError(errors.StackError):
    """The lab could not be seeded; what it held before is what it holds, unless the message says otherwise."""


def seed(home: Home, graph: Graph, *, source: str, directed: bool, report: Report, digest: str = "") -> Seed:
    """Replace the users and follows of the lab.

    Raises StackError while somebody else seeds it, moves its data or runs a drill on it, and when a store does not answer.
    Interrupted, it takes away what it had begun; `state` says what is there then.
    """
    lab = home.lab()
    held = lease.read(home.chaos)
    if held is not None and held.holder_pid != os.getpid() and lease.alive(held, now=time.time()):
        raise SeedError(f"run {held.run_id} (process {held.holder_pid}) uses this lab: seed it when the run is over")
    with shards.alone(home):
        try:
            asyncio.run(_replace(lab, home, _tables(lab, graph), report))
        except (MySQLError, RedisError, NatsError, OSError, TimeoutError) as error:
            raise SeedError(f"seeding stopped: {error or type(error).__name__}. {state(home)}") from error
        result = Seed(len(graph.handles), len(graph.edges), source, directed, graph.top_followers(), time.time(), digest)
        files.write_json(home.seed_file, result, durable=True)
        return result


def state(home: Home) -> str:
    """What a seeding that did not end has left."""
    if home.seed_file.exists():
        return "Nothing was changed"
    return _AGAIN


def _tables(lab: Lab, graph: Graph) -> list[Table]:
    """What each database comes to hold, and the empty tables of what may not outlive the users before."""
    (users,), shards = _primaries(lab, "users-db"), _primaries(lab, "graph-db")
    shard_of = np.array([storage.graph_shard(user, len(shards)) for user in range(len(graph.handles) + 1)])
    tables = [Table(users, "users", ("id", "handle"), list(enumerate(graph.handles, 1)))]
    tables += [table for shard in shards for table in _edges(shard, graph, shard_of == shard.index)]
    return [*tables, suggesting.table(lab, graph.edges), *suggesting.cleared(lab)]


def _edges(database: Component, graph: Graph, here: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[Table, ...]:
    """`here` is True for the users whose shard it is."""
    follower, followee = graph.edges.T
    backward = graph.edges[here[followee]][:, ::-1]
    counts = np.where(here, graph.follower_counts(), 0)
    followed = np.flatnonzero(counts)
    return (
        Table(database, "followees", ("follower_id", "followee_id"), graph.edges[here[follower]]),
        Table(database, "followers", ("followee_id", "follower_id"), backward[np.lexsort((backward[:, 1], backward[:, 0]))]),
        Table(database, "follower_counts", ("user_id", "followers"), np.column_stack((followed, counts[followed]))),
        Table(database, "pending_edges", ("follower_id", "followee_id", "version"), ()),
        Table(database, "blocks", ("blocker_id", "blocked_id"), ()),
    )


def _primaries(lab: Lab, group: str) -> list[Component]:
    return [component for component in lab.group(group) if component.role == "primary"]


async def _replace(lab: Lab, home: Home, tables: Sequence[Table], report: Report) -> None:
    await _all_answer(lab)
    total = sum(len(table.rows) for table in tables)
    try:
        await loading.fill(tables, report)
        files.remove_durably(home.seed_file)
        await loading.swap(tables)
    finally:
        await loading.tidy(tables)
    report(Step("clearing tweets, caches and the stream of the users before", total, total))
    await _clear(lab)
    report(Step("waiting until every replica has all of it", total, total))
    await _caught_up(lab)


async def _all_answer(lab: Lab) -> None:
    stores = [c for c in lab.components if c.kind in ("mariadb", "redis", "nats")]
    answers = await asyncio.gather(*(questions.ask(c, timeout_s=2) for c in stores))
    sick = [f"{c.name} ({answer.detail})" for c, answer in zip(stores, answers, strict=True) if not answer.ok]
    if sick:
        raise SeedError(f"not every store answers: {', '.join(sick)}. Start the lab with `failwhale up`")


async def _clear(lab: Lab) -> None:
    for database in _primaries(lab, "tweets-db"):
        for table in ("outbox", "engagement_deltas", "tweets", "likes"):
            await loading.execute(database, f"TRUNCATE TABLE {table}")
    for cache in lab.kind("redis"):
        async with Redis(host="127.0.0.1", port=cache.port, socket_timeout=5) as client:
            await client.flushall()
    for events in lab.kind("nats"):
        await _purge(events)


async def _caught_up(lab: Lab) -> None:
    """Reads may be answered by a replica, which confirms what it received before it has applied it."""
    for replica in (component for component in lab.kind("mariadb") if component.role == "replica"):
        primary = next(c for c in lab.group(replica.group) if c.shard == replica.shard and c.role == "primary")
        async with loading.connected(primary) as cursor:
            await cursor.execute("SELECT @@gtid_binlog_pos")
            ((position,),) = await cursor.fetchall()
        async with loading.connected(replica) as cursor, asyncio.timeout(CATCH_UP_S + 1):
            await cursor.execute("SELECT MASTER_GTID_WAIT(%s, %s)", (position, CATCH_UP_S))
            ((late,),) = await cursor.fetchall()
        if late:
            raise SeedError(f"{replica.name} does not catch up with {primary.name} within {CATCH_UP_S} s: see `failwhale status`. {_AGAIN}")


async def _purge(events: Component) -> None:
    client = await nats.connect(f"nats://127.0.0.1:{events.port}", allow_reconnect=False)
    try:
        for stream in (storage.STREAM, storage.DEAD_LETTER_STREAM):
            try:
                await client.jetstream().purge_stream(stream)
            except NotFoundError:
                continue
    finally:
        await client.close()
