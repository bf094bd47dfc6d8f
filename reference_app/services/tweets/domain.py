"""Rules of tweets that need no I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class StoredTweet:
    """A row. `duplicate_of` names the surviving twin when the reconciler tombstoned this one."""

    id: int
    user_id: int
    text: str
    deleted: bool
    duplicate_of: int | None


@dataclass(frozen=True)
class KeyedId:
    """A tweet's id and the key it was posted with."""

    id: int
    user_id: int
    key: str


def shard_order(user_id: int, key: str, shards: int) -> list[int]:
    """Shards in the order in which a post tries them, its home first: rendezvous hashing (Thaler & Ravishankar, 1998)."""
    return sorted(range(shards), key=lambda shard: hashlib.blake2b(f"{user_id}:{key}:{shard}".encode(), digest_size=8).digest())


def later_twins(diverted: Iterable[KeyedId], elsewhere: Iterable[KeyedId]) -> list[tuple[int, int]]:
    """(later id, earlier id) of every key that is on both sides: the earlier one stays."""
    twins = {(row.user_id, row.key): row.id for row in elsewhere}
    pairs = [(row.id, twins[row.user_id, row.key]) for row in diverted if (row.user_id, row.key) in twins]
    return [(max(pair), min(pair)) for pair in pairs]
