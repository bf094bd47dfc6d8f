"""Faults that a request asks for itself, by a header: for tests and for drills that harm a slice of users. Honoured only while a decider says so.

`X-Failwhale-Fault: tweets=error` has the service `tweets` answer that request with 503, `tweets=delay:600` waits for 600 ms first, and
`tweets=nack-once` refuses the first attempt in a trace. Services on the way pass the header on.
"""

from __future__ import annotations

import asyncio
import collections
import re
from collections.abc import Awaitable, Callable

from reference_app.kit import errors, http
from reference_app.kit.deciders import OFF, Deciders

DECIDER = "request_faults"
DELAY_MAX_MS = 5000
_FAULT = re.compile(r"([a-z-]+)=(error|nack-once|delay:([0-9]{1,4}))")
_REMEMBERED = 1000


class RequestFaults:
    """Of one service."""

    def __init__(self, group: str, deciders: Deciders, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._group, self._deciders, self._sleep = group, deciders, sleep
        self._refused: collections.deque[str] = collections.deque(maxlen=_REMEMBERED)

    async def strike(self, wanted: str, trace_id: str) -> None:
        """Do to the current request what its header wants, or pass it on. Raises AppError; what is no fault is ignored."""
        fault = _FAULT.fullmatch(wanted)
        if fault is None or self._deciders.value(DECIDER) == OFF:
            return
        http.fault.set(wanted)
        if fault[1] != self._group:
            return
        if fault[3] is not None:
            await self._sleep(min(int(fault[3]), DELAY_MAX_MS) / 1000)
        elif fault[2] == "error":
            raise errors.AppError("unavailable", "the request asked for this fault", retry_after=1)
        elif trace_id not in self._refused:
            self._refused.append(trace_id)
            raise errors.AppError("overloaded", "the request asked for this refusal", retry_after=1, nack=True)
