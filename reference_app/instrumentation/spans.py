"""Ended spans on their way to the exporter: a bounded queue that drops and counts, because nothing may wait for a collector."""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from reference_app.contract.spans import SpanKind
from reference_app.kit import tracing

QUEUE = 2048
BATCH = 128
"""Encoding one holds the interpreter for about 5 ms, which the event loop has to wait for."""


class Ended(NamedTuple):
    """A span that has ended; `error` is its error.type, empty when it is none. Times are Unix nanoseconds."""

    span: tracing.Span
    kind: SpanKind
    name: str
    start_ns: int
    end_ns: int
    error: str


class SpanQueue:
    """Filled by the event loop, emptied by the exporter's thread, which `filled` wakes early when a batch is there."""

    def __init__(self, *, limit: int, dropped: Callable[[], None], time_ns: Callable[[], int] = time.time_ns) -> None:
        self._ended: collections.deque[Ended] = collections.deque()
        self._limit, self._dropped, self._time_ns = limit, dropped, time_ns
        self.filled = threading.Event()

    def end(self, span: tracing.Span, kind: SpanKind, name: str, seconds: float, error: str) -> None:
        """A span ends now and took `seconds`."""
        waiting = len(self._ended)
        if waiting >= self._limit:
            self._dropped()
            return
        end_ns = self._time_ns()
        self._ended.append(Ended(span, kind, name, end_ns - int(seconds * 1e9), end_ns, error))
        if waiting + 1 == BATCH:
            self.filled.set()

    def batch(self) -> list[Ended]:
        """Takes what has ended, at most BATCH."""
        return [self._ended.popleft() for _ in range(min(BATCH, len(self._ended)))]
