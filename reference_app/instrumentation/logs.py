"""Logs as JSON lines on standard output, which supervisord writes to `var/log/<component>.log`.

Lines about what went well leave the process together, a tenth of a second late at most: each write wakes supervisord.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

import msgspec

from reference_app.kit import http, tracing

DELAY_SECONDS = 0.1
_encode = msgspec.json.Encoder().encode


class _JsonFormatter(logging.Formatter):
    def __init__(self, component: str) -> None:
        super().__init__()
        self._component = component
        self._second, self._prefix = -1, ""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": self._timestamp(record.created),
            "severity": record.levelname,
            "component": self._component,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := http.request_id.get():
            line["request_id"] = request_id
        if (context := tracing.current.get()) is not None:
            line["trace_id"] = context.trace_id
            line["span_id"] = context.span_id
        line |= getattr(record, "attributes", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line).decode()

    def _timestamp(self, at: float) -> str:
        """ISO 8601 in UTC; all but the milliseconds is made once a second."""
        second = int(at)
        if second != self._second:
            self._second, self._prefix = second, time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
        return f"{self._prefix}{int((at - second) * 1000):03d}+00:00"


class _Gathering(logging.StreamHandler[TextIO]):
    """Writes what is below WARNING together with what comes within `DELAY_SECONDS`, if there is an event loop to do that."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))
        if record.levelno >= logging.WARNING or not _later(self.flush, first=len(self._lines) == 1):
            self.flush()

    def flush(self) -> None:
        with self.lock or contextlib.nullcontext():
            lines, self._lines = self._lines, []
            if lines:
                self.stream.write("\n".join(lines) + "\n")
                self.stream.flush()


def configure(component: str) -> None:
    """Send this process's logs to standard output as JSON, INFO and above."""
    handler = _Gathering(sys.stdout)
    handler.setFormatter(_JsonFormatter(component))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def tell(logger: logging.Logger, level: int, message: str, attributes: dict[str, Any]) -> None:
    """`logger.log` without looking up who called, which costs more than the rest together."""
    if logger.isEnabledFor(level):
        record = logging.LogRecord(logger.name, level, "", 0, message, (), None)
        record.attributes = attributes
        logger.handle(record)


def _later(flush: Callable[[], None], *, first: bool) -> bool:
    """Have it done soon, once for all lines that wait. False when there is no event loop."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return False
    if first:
        loop.call_later(DELAY_SECONDS, flush)
    return True
