"""Logs as JSON lines on standard output, which supervisord writes to `var/log/<component>.log`."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

from reference_app.kit import http, tracing


class _JsonFormatter(logging.Formatter):
    def __init__(self, component: str) -> None:
        super().__init__()
        self._component = component

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": record.levelname,
            "component": self._component,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := http.request_id.get():
            line["request_id"] = request_id
        if (context := tracing.current.get()) is not None:
            line["trace_id"] = context.trace_id
            if context.sampled:
                line["span_id"] = context.span_id
        line |= getattr(record, "attributes", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def configure(component: str) -> None:
    """Send this process's logs to standard output as JSON, INFO and above."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JsonFormatter(component))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
