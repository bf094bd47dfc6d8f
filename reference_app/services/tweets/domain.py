"""Rules of tweets that need no I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from reference_app.contract import api, ids
from reference_app.contract.api import Tweet

APPLY_POLLS, APPLY_POLL_SECONDS = 4, 0.03
"""A replica that acknowledged a commit may apply it some milliseconds later."""


@dataclass(frozen=True)
class StoredTweet:
    """A row. `duplicate_of` names the surviving twin when the reconciler tombstoned this one."""

    tweet: Tweet
    deleted: bool
    duplicate_of: int | None


@dataclass(frozen=True)
class OutboxRow:
    """An event that waits to be published, `created_ms` Unix milliseconds."""

    id: int
    subject: str
    payload: bytes
    traceparent: str
    created_ms: int


@dataclass(frozen=True)
class KeyedId:
    """A tweet's id and the key it was posted with. `deleted_ms` is when its author deleted it."""

    id: int
    user_id: int
    key: str
    deleted_ms: int | None = None


def shard_order(user_id: int, key: str, shards: int) -> list[int]:
    """Shards in the order in which a post tries them, its home first: rendezvous hashing (Thaler & Ravishankar, 1998)."""
    return sorted(range(shards), key=lambda shard: hashlib.blake2b(f"{user_id}:{key}:{shard}".encode(), digest_size=8).digest())


def key_of(stored: str) -> str:
    """The key that a row was posted with: a retweet that was undone has its id behind it, so that the original can be retweeted again."""
    return stored.partition("#")[0] if stored.startswith(api.RETWEET_KEY) else stored


def twins_to_tombstone(diverted: Iterable[KeyedId], elsewhere: Iterable[KeyedId]) -> list[tuple[KeyedId, KeyedId]]:
    """(row to tombstone, its twin) of every key that is on both sides: the earlier one stays, but never beside one that its author deleted."""
    twins = {(row.user_id, row.key): row for row in elsewhere}
    pairs = [(row, twins[row.user_id, row.key]) for row in diverted if (row.user_id, row.key) in twins]
    return [_goes_and_stays(*pair) for pair in pairs if not _retweeted_anew(*pair)]


def _goes_and_stays(row: KeyedId, twin: KeyedId) -> tuple[KeyedId, KeyedId]:
    if (row.deleted_ms is None) != (twin.deleted_ms is None):
        return (row, twin) if row.deleted_ms is None else (twin, row)
    return (row, twin) if row.id > twin.id else (twin, row)


def _retweeted_anew(row: KeyedId, twin: KeyedId) -> bool:
    undone = row.deleted_ms is not None and row.key.startswith(api.RETWEET_KEY)
    return undone and ids.unix_ms_of(twin.id) > (row.deleted_ms or 0)
