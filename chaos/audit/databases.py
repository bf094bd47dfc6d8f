"""Reads tweet rows and follow edges by SQL, straight from the databases: the API would repair or hide what the audit looks for."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncmy.errors

from chaos.audit.model import ObservedShard, Row
from reference_app.contract import storage
from reference_app.contract.topology import Component, Lab
from reference_app.kit import sql

CONNECT_S, READ_S, GLANCE_S = 1.0, 5.0, 1.5
ROWS_MAX = 200_000
"""Rows of one shard that an audit holds in memory: more than an hour of the lab's heaviest load."""
EDGES_MAX = 1_000_000
_NOT_PROVISIONED = (1049, 1146)
"""Unknown database, no such table."""

_ROWS = "SELECT id, user_id, idempotency_key, deleted_at IS NOT NULL, duplicate_of FROM tweets WHERE id >= %s LIMIT %s"
_PRESENT = "SET STATEMENT max_statement_time=0.7 FOR SELECT id FROM tweets WHERE id IN %s"
"""Ended by the server itself: behind a locked table it would wait there longer than whoever asked."""
_UNPUBLISHED = "SELECT COUNT(*) FROM outbox WHERE published = 0"
_IDENTITY = "SELECT lab_key FROM identity WHERE shard = %s"
_FOLLOWERS = "SELECT followee_id, follower_id FROM followees WHERE followee_id IN %s AND active = 1 LIMIT %s"


class UnreadableError(Exception):
    """No answer came back: the database is down, or it hangs."""


class UntrustedError(Exception):
    """The database answered, but its answers do not count: it is not the one that was provisioned, or it holds too much to read."""


async def shard(lab: Lab, index: int, *, since_id: int) -> ObservedShard:
    """Rows of one tweet shard from `since_id` on: from its primary, or from its replica when the primary does not answer."""
    unanswered: list[str] = []
    for server in _servers(lab, "tweets-db", index):
        try:
            return await _read_shard(lab, server, since_id=since_id, detail="; ".join(unanswered))
        except UnreadableError as error:
            unanswered.append(str(error))
        except UntrustedError as error:
            unanswered.append(str(error))
            break
    return ObservedShard(index, "primary", (), complete=False, detail="; ".join(unanswered))


async def followers(lab: Lab, authors: Collection[int]) -> Mapping[int, frozenset[int]]:
    """Who follows each of the authors now, by the forward edges, which are the truth. Raises UnreadableError or UntrustedError."""
    found: dict[int, set[int]] = defaultdict(set)
    edges = 0
    for index in sorted({component.index for component in lab.group("graph-db")}):
        rows = await _edges(lab, index, sorted(authors), limit=EDGES_MAX + 1 - edges)
        edges += len(rows)
        if edges > EDGES_MAX:
            raise UntrustedError(f"the authors of this run have more than {EDGES_MAX} followers together, too many for one audit")
        for followee, follower in rows:
            found[followee].add(follower)
    return {author: frozenset(of_author) for author, of_author in found.items()}


async def _edges(lab: Lab, index: int, authors: Sequence[int], *, limit: int) -> Sequence[sql.Row]:
    """(followee, follower) of one graph shard: one scan for all authors, because forward rows lie by follower."""
    if not authors:
        return ()
    unanswered: list[str] = []
    for server in _servers(lab, "graph-db", index):
        try:
            async with _opened(lab, server) as session:
                return await session.fetch(_FOLLOWERS, (tuple(authors), limit))
        except UnreadableError as error:
            unanswered.append(str(error))
    raise UnreadableError("; ".join(unanswered))


async def absent(lab: Lab, index: int, ids: Collection[int]) -> frozenset[int] | None:
    """Those of the tweets that no server of the shard has; None unless all of them answered, for one that is down may have them."""
    try:
        async with asyncio.timeout(GLANCE_S):
            found = await asyncio.gather(*(_present(lab, server, ids) for server in _servers(lab, "tweets-db", index)))
    except (UnreadableError, UntrustedError, TimeoutError):
        return None
    return frozenset(ids).difference(*found)


async def _present(lab: Lab, server: Component, ids: Collection[int]) -> frozenset[int]:
    async with _opened(lab, server) as session:
        return frozenset(int(row[0]) for row in await session.fetch(_PRESENT, (tuple(ids),)))


def _servers(lab: Lab, group: str, index: int) -> list[Component]:
    """The primary first."""
    return sorted((c for c in lab.group(group) if c.index == index), key=lambda c: c.role != "primary")


async def _read_shard(lab: Lab, server: Component, *, since_id: int, detail: str) -> ObservedShard:
    async with _opened(lab, server) as session:
        rows = await session.fetch(_ROWS, (since_id, ROWS_MAX + 1))
        unpublished = await session.fetch(_UNPUBLISHED)
    if len(rows) > ROWS_MAX:
        raise UntrustedError(f"{server.name} has more than {ROWS_MAX} tweets since the run started, too many for one audit")
    return ObservedShard(
        shard=server.index,
        source="replica" if server.role == "replica" else "primary",
        rows=tuple(_row(server.index, row) for row in rows),
        complete=True,
        detail=detail,
        outbox_unpublished=int(unpublished[0][0]),
    )


def _row(index: int, columns: Sequence[Any]) -> Row:
    tweet_id, user_id, key, deleted, duplicate_of = columns
    posted_with = key.removesuffix(f"#{tweet_id}")  # a row that lost its key to its twin has its id behind it
    return Row(tweet_id, user_id, posted_with, bool(deleted), duplicate_of, index)


@asynccontextmanager
async def _opened(lab: Lab, server: Component) -> AsyncIterator[sql.Session]:
    """A connection to a database that proved to be the lab's own; failures come out as the two errors of this module."""
    with _explained(server):
        connection = await _connect(server.port)
        try:
            async with asyncio.timeout(READ_S):
                session = sql.Session(connection)
                await _identify(session, lab, server)
                yield session
        finally:
            connection.close()


async def _connect(port: int) -> Any:
    async with asyncio.timeout(CONNECT_S):  # asyncmy's own limit ends with the TCP connection, which a paused server still accepts
        return await sql.connect(port, user=storage.DATABASE_USER, database=storage.DATABASE, autocommit=True)


async def _identify(session: sql.Session, lab: Lab, server: Component) -> None:
    found = await session.fetch(_IDENTITY, (server.shard,))
    if [tuple(row) for row in found] != [(lab.identity_key,)]:
        raise UntrustedError(f"{server.name} does not identify itself as {server.shard} of this lab: was its directory replaced?")


@contextmanager
def _explained(server: Component) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise UnreadableError(f"{server.name} accepts connections but does not answer") from None
    except asyncmy.errors.MySQLError as error:
        if error.args and error.args[0] in _NOT_PROVISIONED:
            raise UntrustedError(f"{server.name} was not provisioned (was its directory wiped?): {error}") from error
        raise UnreadableError(f"{server.name} cannot be read: {error}") from error
    except OSError as error:
        raise UnreadableError(f"{server.name} cannot be read: {error}") from error
