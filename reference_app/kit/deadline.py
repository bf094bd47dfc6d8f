"""Deadline propagation: a request carries how long its caller still waits; nobody works past that (finagle `Deadline`, sent as remaining time)."""

from __future__ import annotations

import time
from contextvars import ContextVar

from reference_app.kit import errors

_expires: ContextVar[float | None] = ContextVar("deadline", default=None)


def start(seconds: float) -> None:
    """Set the deadline of the current task, `seconds` from now; an earlier one stays."""
    expires = time.monotonic() + seconds
    current = _expires.get()
    _expires.set(expires if current is None else min(current, expires))


def limit(seconds: float) -> float:
    """Seconds that one step may take: its own limit or what is left, whichever is less. Raises when nothing is left."""
    expires = _expires.get()
    if expires is None:
        return seconds
    left = expires - time.monotonic()
    if left <= 0:
        raise errors.AppError("deadline_exceeded", "the caller's deadline has passed")
    return min(seconds, left)
