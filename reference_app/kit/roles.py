"""Roles of databases: who is the primary of each shard, told by a small durable file that is polled like the deciders.

The file names only shards that were promoted; without an entry a shard has the roles that its members were born with.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from reference_app.kit import files

POLL_SECONDS = 0.2


def read(path: Path) -> dict[str, str]:
    """Shard -> name of its primary, for the shards that were ever promoted."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}


def assign(path: Path, shard: str, primary: str) -> None:
    """Make a member the primary of its shard, durably: from now on it is, whatever becomes of whoever does the rest."""
    files.write_json(path, read(path) | {shard: primary}, durable=True)


class Roles:
    """A process's view of the file, read again when it is older than 200 ms."""

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path, self._monotonic = path, monotonic
        self._primaries: dict[str, str] = {}
        self._read_at = float("-inf")

    def primary_of(self, shard: str) -> str | None:
        """Name of the primary; None when the shard has the roles that it was born with."""
        now = self._monotonic()
        if now - self._read_at >= POLL_SECONDS:
            self._read_at = now
            with contextlib.suppress(msgspec.DecodeError, OSError):  # whoever was the primary still is
                self._primaries = read(self._path)
        return self._primaries.get(shard)
