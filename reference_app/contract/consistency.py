"""Consistency tokens: what a client has written, per shard as the id of its last transaction there. Opaque to clients.

`0.0-18024-17,1.0-18027-5` names transaction 0-18024-17 of tweet shard 0 and 0-18027-5 of shard 1. A read that brings it sees all of that, or says
that it does not.
"""

from __future__ import annotations

import re

LENGTH_MAX = 512
PATTERN = "[0-9]{1,4}\\.[0-9]+-[0-9]+-[0-9]+(,[0-9]{1,4}\\.[0-9]+-[0-9]+-[0-9]+)*"
_TOKEN = re.compile(PATTERN)


def positions(token: str) -> dict[int, str]:
    """Shard -> transaction id (GTID). Raises ValueError for what is no token; an empty one has none."""
    if not token:
        return {}
    if len(token) > LENGTH_MAX or not _TOKEN.fullmatch(token):
        raise ValueError("not a consistency token")
    return {int(shard): gtid for shard, _, gtid in (part.partition(".") for part in token.split(","))}


def token(at: dict[int, str]) -> str:
    """The token of these positions."""
    return ",".join(of_one(shard, gtid) for shard, gtid in sorted(at.items()))


def of_one(shard: int, gtid: str) -> str:
    """The token of one transaction."""
    return f"{shard}.{gtid}"


def merged(held: str, written: str) -> str:
    """What a client held and what it wrote since then: the later one of each shard. Raises ValueError as `positions` does."""
    return token(positions(held) | positions(written)) if held else written
