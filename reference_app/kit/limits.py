"""Daily limits of users, told by a small file that everybody who enforces one polls: what may be done -> how often a day.

Its two switches say whether there are limits at all, and what a limit is of which nothing is known: none, or zero.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from reference_app.kit import files

POLL_SECONDS = 0.2
POSTS = "posts"
TWITTERS = {POSTS: 2400}
"""A day and account, as Twitter's help pages had it in 2023."""


def read(path: Path) -> dict[str, int]:
    """The limits; none where there is no file, or no sense in it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def write(path: Path, limits: dict[str, int]) -> None:
    """Replace them all, durably."""
    files.write_json(path, limits, durable=True)


class Limits:
    """A process's view of the file, read again when it is older than 200 ms."""

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path, self._monotonic = path, monotonic
        self._limits: dict[str, int] = {}
        self._read_at = float("-inf")

    def of(self, what: str) -> int | None:
        """How often a day; None when nothing is known of it."""
        now = self._monotonic()
        if now - self._read_at >= POLL_SECONDS:
            self._limits, self._read_at = read(self._path), now
        return self._limits.get(what)
