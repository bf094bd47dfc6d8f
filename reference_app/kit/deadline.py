"""Deadline propagation: a request carries how long its caller still waits; nobody works past that (finagle `Deadline`, sent as remaining time).

Work that has expired when it is begun is refused, but never more than a fifth of what comes: callers that all send a wrong deadline would
else get nothing (finagle `DeadlineFilter`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar

from reference_app.contract.profile import LAB, Profile
from reference_app.kit import errors
from reference_app.kit.windowed import WindowedSum

WAY_BACK = 0.1
"""Share of what the caller still waits that is kept for the answer: what is known shortly before the deadline is worth more than nothing after it."""
_expires: ContextVar[float | None] = ContextVar("deadline", default=None)


def start(seconds: float) -> None:
    """Set the deadline of the current task, `seconds` from now; an earlier one stays."""
    expires = time.monotonic() + seconds
    current = _expires.get()
    _expires.set(expires if current is None else min(current, expires))


def left() -> float:
    """Seconds until the deadline, negative past it, infinite without one."""
    expires = _expires.get()
    return float("inf") if expires is None else expires - time.monotonic()


def limit(seconds: float) -> float:
    """Seconds that one step may take: its own limit or what is left, whichever is less. Raises when nothing is left."""
    expires = _expires.get()
    if expires is None:
        return seconds
    remaining = expires - time.monotonic()
    if remaining <= 0:
        raise _exceeded()
    return min(seconds, remaining)


class ExpiredWork:
    """The check at a service's entry; `enabled` False means dark: count, and refuse nothing."""

    def __init__(
        self,
        *,
        enabled: Callable[[], bool],
        count: Callable[[str], None],
        profile: Profile = LAB,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._enabled, self._count, self._cost = enabled, count, 1 / profile.expired_share
        self._tokens = WindowedSum(profile.expired_window, monotonic=monotonic)

    def check(self) -> None:
        """Raises AppError deadline_exceeded when the caller waits no more and not too many were refused lately."""
        if left() > 0:
            self._tokens.add(1)
        elif self._enabled() and self._tokens.total() >= self._cost:
            self._tokens.add(-self._cost)
            self._count("refused")
            raise _exceeded()
        else:
            self._count("begun")


def _exceeded() -> errors.AppError:
    return errors.AppError("deadline_exceeded", "the caller's deadline has passed")
