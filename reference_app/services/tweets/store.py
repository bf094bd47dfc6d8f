"""SQL of one tweet shard."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from reference_app.contract import storage
from reference_app.contract.api import Tweet
from reference_app.kit import tracing
from reference_app.kit.sql import Row, Session
from reference_app.services.tweets.domain import KeyedId, StoredTweet

_COLUMNS = "id, user_id, text, deleted_at IS NOT NULL, duplicate_of"


async def insert(session: Session, tweet: Tweet, *, key: str, diverted: bool, now_ms: int) -> None:
    """The tweet and its event, in the caller's transaction."""
    await session.execute(
        "INSERT INTO tweets (id, user_id, idempotency_key, text, diverted) VALUES (%s, %s, %s, %s, %s)",
        (tweet.id, tweet.user_id, key, tweet.text, int(diverted)),
    )
    event = storage.TweetEvent(tweet_id=tweet.id, user_id=tweet.user_id, acknowledged_ms=now_ms)
    await session.execute(
        "INSERT INTO outbox (subject, payload, traceparent, created_ms) VALUES (%s, %s, %s, %s)",
        (storage.SUBJECT_POSTED, msgspec.json.encode(event), tracing.traceparent(), now_ms),
    )


async def by_key(session: Session, user_id: int, key: str) -> StoredTweet | None:
    """The tweet of an idempotency key."""
    rows = await session.fetch(f"SELECT {_COLUMNS} FROM tweets WHERE user_id = %s AND idempotency_key = %s", (user_id, key))  # noqa: S608
    return _stored(rows[0]) if rows else None


async def by_ids(session: Session, tweet_ids: Sequence[int]) -> list[StoredTweet]:
    """Those of the tweets that are here, tombstones included."""
    return [_stored(row) for row in await session.fetch(f"SELECT {_COLUMNS} FROM tweets WHERE id IN {_marks(tweet_ids)}", tweet_ids)]  # noqa: S608


async def ids_by_users(session: Session, user_ids: Sequence[int], *, limit: int, before: int) -> list[int]:
    """Newest visible ids of the authors, below `before`."""
    rows = await session.fetch(
        f"SELECT id FROM tweets WHERE user_id IN {_marks(user_ids)} AND id < %s AND deleted_at IS NULL ORDER BY id DESC LIMIT %s",  # noqa: S608
        (*user_ids, before, limit),
    )
    return [row[0] for row in rows]


async def claim_unpublished(session: Session, limit: int) -> list[tuple[int, str, bytes, str]]:
    """Lock and return (outbox id, subject, payload, traceparent) of rows that no other relay holds."""
    rows = await session.fetch(
        "SELECT id, subject, payload, traceparent FROM outbox WHERE published = 0 ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED", (limit,)
    )
    return [(row[0], row[1], bytes(row[2]), row[3]) for row in rows]


async def mark_published(session: Session, outbox_ids: Sequence[int]) -> None:
    """Flag rows as published."""
    await session.execute(f"UPDATE outbox SET published = 1 WHERE id IN {_marks(outbox_ids)}", outbox_ids)  # noqa: S608


async def unpublish_since(session: Session, created_ms: int) -> int:
    """Flag recent rows for publishing again; returns how many."""
    return await session.execute("UPDATE outbox SET published = 0 WHERE published = 1 AND created_ms >= %s", (created_ms,))


async def purge_published(session: Session, created_ms: int) -> int:
    """Delete published rows older than that."""
    return await session.execute("DELETE FROM outbox WHERE published = 1 AND created_ms < %s LIMIT 1000", (created_ms,))


async def count_unpublished(session: Session) -> int:
    """Rows that wait for the relay."""
    return int((await session.fetch("SELECT COUNT(*) FROM outbox WHERE published = 0"))[0][0])


async def diverted_since(session: Session, first_id: int) -> list[KeyedId]:
    """Rows that another shard's outage brought here and that have no tombstone as a twin."""
    rows = await session.fetch(
        "SELECT id, user_id, idempotency_key FROM tweets WHERE diverted = 1 AND id >= %s AND duplicate_of IS NULL", (first_id,)
    )
    return [KeyedId(*row) for row in rows]


async def with_keys(session: Session, keys: Sequence[KeyedId]) -> list[KeyedId]:
    """Rows here that carry one of those keys and no tombstone as a twin."""
    marks = ", ".join(["(%s, %s)"] * len(keys))
    rows = await session.fetch(
        f"SELECT id, user_id, idempotency_key FROM tweets WHERE duplicate_of IS NULL AND (user_id, idempotency_key) IN ({marks})",  # noqa: S608
        [value for key in keys for value in (key.user_id, key.key)],
    )
    return [KeyedId(*row) for row in rows]


async def tombstone_twin(session: Session, tweet_id: int, survivor: int, now_ms: int) -> int:
    """Hide a row as the later twin of `survivor`; returns 1 if it was visible until now."""
    return await session.execute(
        "UPDATE tweets SET deleted_at = COALESCE(deleted_at, %s), duplicate_of = %s WHERE id = %s AND duplicate_of IS NULL",
        (now_ms, survivor, tweet_id),
    )


def _marks(values: Sequence[object]) -> str:
    return f"({', '.join(['%s'] * len(values))})"


def _stored(row: Row) -> StoredTweet:
    return StoredTweet(id=row[0], user_id=row[1], text=row[2], deleted=bool(row[3]), duplicate_of=row[4])
