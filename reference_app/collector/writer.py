"""A thread between requests and the disk: rows wait here for at most a second, then they are a segment."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from reference_app.collector.rows import Row
from reference_app.collector.segments import Segments
from reference_app.contract import metrics
from reference_app.instrumentation.recorder import Recorder

logger = logging.getLogger(__name__)
SEGMENT_SECONDS, SEGMENT_ROWS = 1.0, 5000
TEND_SECONDS = 15.0
ROWS_MAX = 50_000
"""Rows that may wait before requests are refused; a disk that refuses makes them wait."""


class Writer:
    """While it is open rows become segments; closing writes what is left."""

    def __init__(self, segments: Segments, recorder: Recorder, *, clock: Callable[[], float] = time.time) -> None:
        self._segments, self._recorder, self._clock = segments, recorder, clock
        self._rows: deque[Row] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="segments")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def add(self, rows: list[Row]) -> bool:
        """Take the rows of a request; False, and none is taken, when too many wait already."""
        with self._changed:
            if len(self._rows) >= ROWS_MAX:
                return False
            self._rows.extend(rows)
            self._changed.notify()
            return True

    def _run(self) -> None:
        tended = float("-inf")
        while rows := self._next():
            self._write(rows)
            if self._clock() - tended >= TEND_SECONDS:
                tended = self._clock()
                self._tend(tended)

    def _next(self) -> list[Row]:
        """The rows of the next segment; none when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._rows or self._closing)
            self._changed.wait_for(lambda: len(self._rows) >= SEGMENT_ROWS or self._closing, SEGMENT_SECONDS)
            return [self._rows.popleft() for _ in range(min(SEGMENT_ROWS, len(self._rows)))]

    def _write(self, rows: list[Row]) -> None:
        try:
            self._segments.write(rows)
        except OSError as error:
            self._keep(rows, error)
            return
        self._recorder.count(metrics.COLLECTED_SEGMENTS)
        self._recorder.count(metrics.COLLECTED_SPANS, "written", by=len(rows))

    def _keep(self, rows: list[Row], error: OSError) -> None:
        """For the next attempt; when there will be none they are lost."""
        with self._changed:
            if not self._closing:
                logger.error("a segment of %d spans cannot be written and is tried again: %s", len(rows), error)
                self._rows.extendleft(reversed(rows))
                self._changed.wait_for(lambda: self._closing, SEGMENT_SECONDS)
                return
        logger.error("%d spans are lost, because their segment cannot be written: %s", len(rows), error)
        self._recorder.count(metrics.COLLECTED_SPANS, "dropped", by=len(rows))

    def _tend(self, now: float) -> None:
        try:
            self._segments.tend(now)
        except OSError as error:
            logger.warning("segments cannot be merged or retired: %s", error)
