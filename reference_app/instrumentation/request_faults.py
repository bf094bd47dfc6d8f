"""Faults that a request asks for itself, by a header: for tests and for drills that harm a slice of users. Honoured only while a decider says so.

`X-Failwhale-Fault: tweets=error` has the service `tweets` answer that request with 503, `tweets=delay:600` waits for 600 ms first, and
`tweets=nack-once` refuses the first attempt in a trace, `tweets=none` is only counted. Services on the way pass the header on. The service
that users reach gives it to the requests of those users for whom a drill means it (kit.slices), as Netflix's FIT does at its edge.
"""

from __future__ import annotations

import asyncio
import collections
import logging
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from reference_app.kit import errors, http, slices
from reference_app.kit.deciders import OFF, POLL_SECONDS, Deciders
from reference_app.kit.slices import Slice

logger = logging.getLogger(__name__)
DECIDER = "request_faults"
DELAY_MAX_MS = 5000
_FAULT = re.compile(r"([a-z-]+)=(error|nack-once|none|delay:([0-9]{1,4}))")
_REMEMBERED = 1000


def _uncounted(_kind: str) -> None:
    """Count nothing."""


class RequestFaults:
    """Of one service. `count` is told of each request that meets its fault here: error, nack-once, delay or none."""

    def __init__(
        self,
        group: str,
        deciders: Deciders,
        *,
        count: Callable[[str], None] = _uncounted,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._group, self._deciders, self._count, self._sleep = group, deciders, count, sleep
        self._refused: collections.deque[str] = collections.deque(maxlen=_REMEMBERED)

    @property
    def honoured(self) -> bool:
        return self._deciders.value(DECIDER) != OFF

    async def strike(self, wanted: str, trace_id: str) -> None:
        """Do to the current request what its header wants, or pass it on. Raises AppError; what is no fault is ignored."""
        fault = _FAULT.fullmatch(wanted)
        if fault is None or not self.honoured:
            return
        http.fault.set(wanted)
        if fault[1] != self._group:
            return
        self._count(fault[2].partition(":")[0])
        if fault[3] is not None:
            await self._sleep(min(int(fault[3]), DELAY_MAX_MS) / 1000)
        elif fault[2] == "error":
            raise errors.AppError("unavailable", "the request asked for this fault", retry_after=1)
        elif fault[2] == "nack-once" and trace_id not in self._refused:
            self._refused.append(trace_id)
            raise errors.AppError("overloaded", "the request asked for this refusal", retry_after=1, nack=True)


class Meant:
    """For which users a fault is meant, as the service that they reach knows it. A broken file changes nothing."""

    def __init__(self, path: Path, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path, self._monotonic = path, monotonic
        self._slice: Slice | None = None
        self._read_at = float("-inf")

    def fault_of(self, authorization: str) -> str:
        """What the bearer of this token meets. The token is not verified: it chooses a fault, and opens no door."""
        now = self._monotonic()
        if now - self._read_at >= POLL_SECONDS:
            self._read(now)
        user_id = authorization.removeprefix("Bearer ").partition(".")[0]
        return slices.fault_of(self._slice, user_id) if self._slice is not None and user_id else ""

    def _read(self, now: float) -> None:
        self._read_at = now
        try:
            self._slice = slices.read(self._path)
        except (msgspec.DecodeError, OSError) as error:
            logger.warning("%s cannot be read, so faults are meant for the same users as before: %s", self._path, error)
