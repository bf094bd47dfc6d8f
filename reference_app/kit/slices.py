"""Users for whom a fault is meant: a slice that meets it, and one of the same size that is only counted, to compare with (ChAP, ICSE-SEIP'19).

Who is in which slice is a hash of the user's id, so that a user is in the same one at every request and in every process.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

BUCKETS = 10_000


@dataclass(frozen=True)
class Slice:
    """`experiment` and `control` are headers X-Failwhale-Fault; `share` of all users, in units of 1/10000, meet each. `salt` draws who."""

    experiment: str
    control: str
    share: int
    salt: str


def bucket(user_id: str, salt: str) -> int:
    """From 0 to 9999, the same share of users in each."""
    return int.from_bytes(hashlib.sha256(f"{salt}/{user_id}".encode()).digest()[:8]) % BUCKETS


def fault_of(meant: Slice, user_id: str) -> str:
    """What a request of the user asks for; empty for most."""
    place = bucket(user_id, meant.salt)
    return meant.experiment if place < meant.share else meant.control if place < 2 * meant.share else ""


def read(path: Path) -> Slice | None:
    """None when nobody is meant. Raises msgspec.DecodeError for a broken file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Slice)
    except FileNotFoundError:
        return None
