"""Twins that a restore would meet: a post whose row was deleted may have been sent again with its key, and acknowledged with another id.

While the later transactions are replayed, the later row becomes a tombstone that names the earlier one, as the reconciler makes them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from reference_app.contract import storage
from reference_app.stack.mariadb import Server

GROUP = "tweets-db"
_EARLIER = "SELECT id FROM tweets WHERE user_id = NEW.user_id AND idempotency_key = NEW.idempotency_key AND id <> NEW.id"
_TOMBSTONE = (
    f"FOR EACH ROW SET NEW.duplicate_of = COALESCE(NEW.duplicate_of, ({_EARLIER})), "
    "NEW.deleted_at = IF(NEW.duplicate_of IS NULL, NEW.deleted_at, COALESCE(NEW.deleted_at, UNIX_TIMESTAMP() * 1000)), "
    f"NEW.idempotency_key = IF(({_EARLIER}) IS NULL, NEW.idempotency_key, CONCAT(NEW.idempotency_key, '#', NEW.id))"
)
_MADE_HERE = "duplicate_of IS NOT NULL AND retweet_of IS NULL AND idempotency_key LIKE CONCAT('%#', id)"


@asynccontextmanager
async def tombstoned(copy: Server) -> AsyncIterator[None]:
    """Row events that a replica applies meanwhile make tombstones of twins. Other databases than those of tweets have none."""
    if copy.component.group != GROUP:
        yield
        return
    async with copy.unlogged():
        await copy.execute(
            f"USE {storage.DATABASE}",
            "SET GLOBAL slave_run_triggers_for_rbr = YES",
            f"CREATE TRIGGER twin_of_insert BEFORE INSERT ON tweets {_TOMBSTONE}",
            f"CREATE TRIGGER twin_of_update BEFORE UPDATE ON tweets {_TOMBSTONE}",
        )
    yield
    async with copy.unlogged():
        await copy.execute("DROP TRIGGER twin_of_insert", "DROP TRIGGER twin_of_update", "SET GLOBAL slave_run_triggers_for_rbr = NO")


async def announce(primary: Server) -> int:
    """Tell caches and the stream of the tombstones, through the outbox as of every deletion; returns how many there are."""
    if primary.component.group != GROUP:
        return 0
    await primary.execute(f"USE {storage.DATABASE}")
    rows = await primary.rows(f"SELECT id, user_id FROM tweets WHERE {_MADE_HERE}")  # noqa: S608 - constants
    now_ms = time.time_ns() // 1_000_000
    for row in rows:
        event = msgspec.json.encode(storage.TweetEvent(row["id"], row["user_id"], now_ms))
        insert = "INSERT INTO outbox (subject, payload, created_ms) VALUES (%s, %s, %s)"
        await primary.rows(insert, storage.SUBJECT_DELETED, event, now_ms)
    return len(rows)
