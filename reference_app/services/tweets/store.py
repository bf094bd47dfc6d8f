"""SQL of one tweet shard."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from reference_app.contract import storage
from reference_app.contract.api import Tweet
from reference_app.kit import tracing
from reference_app.kit.sql import Row, Session
from reference_app.services.tweets import deltas, domain
from reference_app.services.tweets.domain import KeyedId, OutboxRow, StoredTweet

_COLUMNS = "id, user_id, text, in_reply_to, retweet_of, deleted_at IS NOT NULL, duplicate_of"
_FREED_KEY = "idempotency_key = IF(retweet_of IS NULL, idempotency_key, CONCAT(idempotency_key, '#', id))"
"""What an undone retweet does with its key (domain.key_of)."""
PURGED_AT_ONCE = FLAGGED_AT_ONCE = 1000


async def insert(session: Session, tweet: Tweet, *, key: str, diverted: bool, now_ms: int) -> None:
    """The tweet, its event and, of a retweet, the change of a count, in the caller's transaction."""
    await session.execute(
        "INSERT INTO tweets (id, user_id, idempotency_key, text, in_reply_to, retweet_of, diverted) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (tweet.id, tweet.user_id, key, tweet.text, tweet.in_reply_to, tweet.retweet_of, int(diverted)),
    )
    await _insert_event(session, storage.SUBJECT_POSTED, storage.TweetEvent(tweet.id, tweet.user_id, now_ms, tweet.text))
    if tweet.retweet_of is not None:
        await deltas.note(session, tweet.retweet_of, "retweets", 1, now_ms=now_ms)


async def delete(session: Session, tweet_id: int, user_id: int, *, now_ms: int) -> StoredTweet | None:
    """The tweet as it was found; when it was the user's and visible it is a tombstone now, and the event says so, in the caller's transaction."""
    rows = await session.fetch(f"SELECT {_COLUMNS} FROM tweets WHERE id = %s FOR UPDATE", (tweet_id,))  # noqa: S608
    found = _stored(rows[0]) if rows else None
    if found is not None and found.tweet.user_id == user_id and not found.deleted:
        await session.execute(f"UPDATE tweets SET deleted_at = %s, {_FREED_KEY} WHERE id = %s", (now_ms, tweet_id))  # noqa: S608
        await _insert_event(session, storage.SUBJECT_DELETED, storage.TweetEvent(tweet_id, user_id, now_ms))
        if found.tweet.retweet_of is not None:
            await deltas.note(session, found.tweet.retweet_of, "retweets", -1, now_ms=now_ms)
    return found


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


async def claim_unpublished(session: Session, limit: int) -> list[OutboxRow]:
    """Lock and return rows that no other relay holds."""
    rows = await session.fetch(
        "SELECT id, subject, payload, traceparent, created_ms FROM outbox WHERE published = 0 ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
        (limit,),
    )
    return [OutboxRow(row[0], row[1], bytes(row[2]), row[3], row[4]) for row in rows]


async def mark_published(session: Session, outbox_ids: Sequence[int]) -> None:
    """Flag rows as published."""
    await session.execute(f"UPDATE outbox SET published = 1 WHERE id IN {_marks(outbox_ids)}", outbox_ids)  # noqa: S608


async def unpublish_since(session: Session, created_ms: int, after: int) -> int:
    """Flag some recent rows behind the outbox id `after` for publishing again; returns the last one's id, 0 when there are no more."""
    query = f"SELECT id FROM outbox WHERE published = 1 AND created_ms >= %s AND id > %s ORDER BY id LIMIT {FLAGGED_AT_ONCE} FOR UPDATE"  # noqa: S608
    rows = [row[0] for row in await session.fetch(query, (created_ms, after))]
    if rows:
        await session.execute(f"UPDATE outbox SET published = 0 WHERE id IN {_marks(rows)}", rows)  # noqa: S608
    return rows[-1] if rows else 0


async def purge_published(session: Session, created_ms: int) -> int:
    """Delete published rows older than that, so many at once; returns how many."""
    return await session.execute(f"DELETE FROM outbox WHERE published = 1 AND created_ms < %s LIMIT {PURGED_AT_ONCE}", (created_ms,))  # noqa: S608


async def unpublished(session: Session) -> tuple[int, int | None]:
    """How many rows wait for the relay, and when the first of them was written."""
    first = "SELECT created_ms FROM outbox WHERE published = 0 ORDER BY id LIMIT 1"
    waiting, since_ms = (await session.fetch(f"SELECT COUNT(*), ({first}) FROM outbox WHERE published = 0"))[0]  # noqa: S608
    return int(waiting), since_ms


async def diverted_since(session: Session, first_id: int) -> list[KeyedId]:
    """Rows that another shard's outage brought here and that have no tombstone as a twin."""
    rows = await session.fetch(
        "SELECT id, user_id, idempotency_key, deleted_at FROM tweets WHERE diverted = 1 AND id >= %s AND duplicate_of IS NULL", (first_id,)
    )
    return [_keyed(row) for row in rows]


async def with_keys(session: Session, keys: Sequence[KeyedId]) -> list[KeyedId]:
    """Rows here that carry one of those keys and no tombstone as a twin."""
    marks = ", ".join(["(%s, %s)"] * len(keys))
    rows = await session.fetch(
        "SELECT id, user_id, idempotency_key, deleted_at FROM tweets"  # noqa: S608
        f" WHERE duplicate_of IS NULL AND (user_id, idempotency_key) IN ({marks})",
        [value for key in keys for value in (key.user_id, key.key)],
    )
    return [_keyed(row) for row in rows]


async def tombstone_twin(session: Session, tweet_id: int, survivor: int, now_ms: int, *, alive: bool) -> int:
    """Hide a row as the twin of `survivor`; returns 1 if it was no tombstone as a twin until now, and is as `alive` as when that was decided."""
    query = "SELECT user_id, retweet_of, deleted_at FROM tweets WHERE id = %s AND duplicate_of IS NULL FOR UPDATE"
    rows = await session.fetch(query, (tweet_id,))
    if not rows:
        return 0
    user_id, retweet_of, deleted_at = rows[0]
    if (deleted_at is None) != alive:
        return 0
    await session.execute(
        f"UPDATE tweets SET deleted_at = COALESCE(deleted_at, %s), duplicate_of = %s, {_FREED_KEY} WHERE id = %s",  # noqa: S608
        (now_ms, survivor, tweet_id),
    )
    await _insert_event(session, storage.SUBJECT_DELETED, storage.TweetEvent(tweet_id, user_id, now_ms))
    if retweet_of is not None and deleted_at is None:
        await deltas.note(session, retweet_of, "retweets", -1, now_ms=now_ms)
    return 1


async def like(session: Session, tweet_id: int, user_id: int, *, now_ms: int) -> bool:
    """False when there is no such tweet to like; no change when the user likes it already."""
    visible = await session.fetch("SELECT 1 FROM tweets WHERE id = %s AND deleted_at IS NULL LOCK IN SHARE MODE", (tweet_id,))
    if not visible:
        return False
    row = (tweet_id, user_id)
    if await session.execute("INSERT INTO likes (tweet_id, user_id) VALUES (%s, %s) ON DUPLICATE KEY UPDATE user_id = user_id", row):
        await deltas.note(session, tweet_id, "likes", 1, now_ms=now_ms)
    return True


async def unlike(session: Session, tweet_id: int, user_id: int, *, now_ms: int) -> None:
    """No change when the user does not like it."""
    if await session.execute("DELETE FROM likes WHERE tweet_id = %s AND user_id = %s", (tweet_id, user_id)):
        await deltas.note(session, tweet_id, "likes", -1, now_ms=now_ms)


async def _insert_event(session: Session, subject: str, event: storage.TweetEvent) -> None:
    await session.execute(
        "INSERT INTO outbox (subject, payload, traceparent, created_ms) VALUES (%s, %s, %s, %s)",
        (subject, msgspec.json.encode(event), tracing.traceparent(), event.acknowledged_ms),
    )


def _marks(values: Sequence[object]) -> str:
    return f"({', '.join(['%s'] * len(values))})"


def _stored(row: Row) -> StoredTweet:
    return StoredTweet(Tweet(*row[:5]), deleted=bool(row[5]), duplicate_of=row[6])


def _keyed(row: Row) -> KeyedId:
    return KeyedId(row[0], row[1], domain.key_of(row[2]), row[3])
