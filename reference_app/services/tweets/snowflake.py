"""Issues tweet ids (contract.ids). Refuses while the clock is behind what was issued, also across a restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from reference_app.contract import ids
from reference_app.kit import errors, files

AHEAD_MS, RENEW_MS = 3000, 1000


def _unix_ms() -> int:
    return time.time_ns() // 1_000_000


class Snowflake:
    """One per process. The high-water mark on disk is at least every id's time, up to 3 s ahead, so that a crash costs at most 3 s of refusals."""

    def __init__(self, *, process: int, mark_file: Path, now_ms: Callable[[], int] = _unix_ms) -> None:
        self._process, self._mark_file, self._now_ms = process, mark_file, now_ms
        self._mark = int(mark_file.read_text()) if mark_file.exists() else 0
        self._last_ms, self._sequence = self._mark, -1

    def next(self, shard: int) -> int:
        """A new id on the shard. Raises AppError unavailable while the clock is behind the last id."""
        now = self._now_ms()
        if now < self._last_ms:
            behind = self._last_ms - now
            raise errors.AppError("unavailable", f"the clock is {behind} ms behind the last id: waiting for it", retry_after=behind / 1000)
        self._sequence = self._sequence + 1 if now == self._last_ms else 0
        if self._sequence >= ids.MAX_SEQUENCE:
            raise errors.AppError("unavailable", "4096 ids in this millisecond are used up", retry_after=0.001)
        self._last_ms = now
        if now > self._mark - RENEW_MS:
            self._persist(now + AHEAD_MS)
        return ids.compose(unix_ms=now, shard=shard, process=self._process, sequence=self._sequence)

    def close(self) -> None:
        """Persist the exact last time, so that a clean restart waits for nothing."""
        self._persist(self._last_ms + 1)

    def _persist(self, mark: int) -> None:
        files.write_atomic(self._mark_file, str(mark).encode(), durable=True)
        self._mark = mark
