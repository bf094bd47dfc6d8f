"""Puts a graph into a lab: users and follows, and nothing else left of the users before.

New tables are filled beside the old ones and take their names in one step at the end, so a failure on the way changes nothing.
While the rest is cleared (ids are used again) there is no `seed.json`: a lab that has one holds exactly what it says.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice

import asyncmy
import nats
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
from reference_app.stack import errors, questions
from reference_app.stack.graphs import Graph

Report = Callable[[str], None]

BATCH_ROWS = 20_000
STATEMENT_TIMEOUT_S = 60
_NEW, _OLD = "_seeding", "_replaced"


class SeedError(errors.StackError):
    """The lab could not be seeded; what it held before is what it holds, unless the message says otherwise."""


@dataclass(frozen=True)
class Table:
    """Rows to come into a table of a database."""

    database: Component
    name: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]


def seed(home: Home, graph: Graph, *, source: str, directed: bool, report: Report) -> Seed:
    """Replace the users and follows of the lab. Raises SeedError while another process runs a drill on the lab or a store does not answer."""
    lab = home.lab()
    held = lease.read(home.chaos)
    if held is not None and held.holder_pid != os.getpid() and lease.alive(held, now=time.time()):
        raise SeedError(f"run {held.run_id} (process {held.holder_pid}) uses this lab: seed it when the run is over")
    users = Table(lab.group("users-db")[0], "users", ("id", "handle"), list(enumerate(graph.handles, 1)))
    tables = (users, *(table for database in _primaries(lab, "graph-db") for table in _edges(lab, database, graph)))
    try:
        asyncio.run(_replace(lab, home, tables, report))
    except (MySQLError, RedisError, NatsError, OSError, TimeoutError) as error:
        raise SeedError(f"seeding stopped: {error or type(error).__name__}. {_state(home)}") from error
    result = Seed(len(graph.handles), len(graph.edges), source, directed, graph.top_followers(), time.time())
    files.write_json(home.seed_file, result, durable=True)
    return result


def _primaries(lab: Lab, group: str) -> list[Component]:
    return [component for component in lab.group(group) if component.role == "primary"]


def _edges(lab: Lab, database: Component, graph: Graph) -> tuple[Table, ...]:
    """What a graph shard holds of the graph, and the empty tables of what may not outlive the users before."""
    shards = len(_primaries(lab, "graph-db"))

    def here(user_id: int) -> bool:
        return storage.graph_shard(user_id, shards) == database.index

    backward = [(followee, follower) for follower, followee in graph.edges if here(followee)]
    return (
        Table(database, "followees", ("follower_id", "followee_id"), [edge for edge in graph.edges if here(edge[0])]),
        Table(database, "followers", ("followee_id", "follower_id"), backward),
        Table(database, "follower_counts", ("user_id", "followers"), list(Counter(followee for followee, _ in backward).items())),
        Table(database, "pending_edges", ("follower_id", "followee_id", "version"), ()),
        Table(database, "blocks", ("blocker_id", "blocked_id"), ()),
    )


def _state(home: Home) -> str:
    if home.seed_file.exists():
        return "Nothing was changed"
    return "The lab holds no complete seed: run `failwhale seed` again"


async def _replace(lab: Lab, home: Home, tables: Sequence[Table], report: Report) -> None:
    await _all_answer(lab)
    try:
        for table in tables:
            await _fill(table, report)
        files.remove_durably(home.seed_file)
        for table in tables:
            await _execute(table.database, f"RENAME TABLE {table.name} TO {table.name}{_OLD}, {table.name}{_NEW} TO {table.name}")
    finally:
        for table in tables:
            await _execute(table.database, f"DROP TABLE IF EXISTS {table.name}{_NEW}, {table.name}{_OLD}")
    report("clearing tweets, caches and the stream of the users before")
    await _clear(lab)


async def _all_answer(lab: Lab) -> None:
    stores = [c for c in lab.components if c.kind in ("mariadb", "redis", "nats")]
    answers = await asyncio.gather(*(questions.ask(c, timeout_s=2) for c in stores))
    sick = [f"{c.name} ({answer.detail})" for c, answer in zip(stores, answers, strict=True) if not answer.ok]
    if sick:
        raise SeedError(f"not every store answers: {', '.join(sick)}. Start the lab with `failwhale up`")


async def _fill(table: Table, report: Report) -> None:
    async with _connected(table.database) as cursor:
        await cursor.execute(f"DROP TABLE IF EXISTS {table.name}{_NEW}, {table.name}{_OLD}")
        await cursor.execute(f"CREATE TABLE {table.name}{_NEW} LIKE {table.name}")
        insert = f"INSERT INTO {table.name}{_NEW} ({', '.join(table.columns)}) VALUES ({', '.join(['%s'] * len(table.columns))})"  # noqa: S608
        done = 0
        for batch in _batches(table.rows):
            async with asyncio.timeout(STATEMENT_TIMEOUT_S):
                await cursor.executemany(insert, batch)
            done += len(batch)
            report(f"{table.name}: {done:,} of {len(table.rows):,}")


def _batches(rows: Sequence[tuple[object, ...]]) -> Iterator[list[tuple[object, ...]]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH_ROWS)):
        yield batch


async def _clear(lab: Lab) -> None:
    for database in _primaries(lab, "tweets-db"):
        for table in ("outbox", "tweets", "likes"):
            await _execute(database, f"TRUNCATE TABLE {table}")
    for cache in lab.kind("redis"):
        async with Redis(host="127.0.0.1", port=cache.port, socket_timeout=5) as client:
            await client.flushall()
    for events in lab.kind("nats"):
        await _purge(events)


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


async def _execute(database: Component, statement: str) -> None:
    async with _connected(database) as cursor, asyncio.timeout(STATEMENT_TIMEOUT_S):
        await cursor.execute(statement)


@asynccontextmanager
async def _connected(database: Component) -> AsyncIterator[asyncmy.cursors.Cursor]:
    """A cursor. Rows go in MariaDB's binary bulk protocol, which asyncmy uses only with a statement cache; notes are off because it prints them."""
    async with (
        asyncmy.connect(
            host="127.0.0.1",
            port=database.port,
            user=storage.DATABASE_USER,
            database=storage.DATABASE,
            autocommit=True,
            stmt_cache_size=4,
            init_command="SET sql_notes = 0",
        ) as client,
        client.cursor() as cursor,
    ):
        yield cursor
