"""Circuit breaker: opens on failures in a row or on a low share of successes, for a jittered, growing time, then lets one probe through (finagle failure accrual)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from reference_app.contract.profile import LAB, Profile
from reference_app.kit.windowed import WindowedSum


def always() -> bool:
    """Of a breaker that nobody can switch off."""
    return True


class Breaker:
    """Closed until `breaker_failures` in a row, or until fewer than `breaker_success_rate` of the calls of a window succeed.

    Then open for a time that doubles from min to max, equal jitter. When it is over a single call is let through: its success closes the
    breaker, its failure opens it for longer. While `enabled` says no it lets everything through.
    """

    def __init__(
        self,
        *,
        profile: Profile = LAB,
        monotonic: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
        enabled: Callable[[], bool] = always,
        on_change: Callable[[bool], None] = lambda _is_open: None,
    ) -> None:
        self._profile, self._monotonic, self._rng = profile, monotonic, rng or random.Random()
        self._enabled, self._on_change = enabled, on_change
        self._failures, self._openings, self._open_until, self._probing = 0, 0, 0.0, False
        self._successes_seen = WindowedSum(profile.breaker_window, monotonic=monotonic)
        self._failures_seen = WindowedSum(profile.breaker_window, monotonic=monotonic)

    @property
    def is_open(self) -> bool:
        """True while calls are refused or a probe is out."""
        return self._openings > 0

    @property
    def ready(self) -> bool:
        """Whether `allow` would say yes."""
        return not self._openings or not self._enabled() or (not self._probing and self._monotonic() >= self._open_until)

    def allow(self) -> bool:
        """Whether a call may be made now. Each True must be followed by `success`, `failure` or `abandon`."""
        if not self._openings:
            return True
        if not self.ready:
            return False
        self._probing = True
        return True

    def success(self) -> None:
        """The call was answered. One that was let through before the opening says nothing about what comes after it."""
        self._failures = 0
        self._successes_seen.add(1)
        if self._openings and (self._probing or self._monotonic() >= self._open_until):
            self._openings, self._probing = 0, False
            self._failures_seen.clear()
            self._on_change(False)

    def failure(self) -> None:
        """The call was refused, lost or timed out."""
        self._failures += 1
        self._failures_seen.add(1)
        if self._enabled() and (self._probing or (not self._openings and self._too_many())):
            self._open()
        self._probing = False

    def abandon(self) -> None:
        """The call ended for a reason that says nothing about the peer (the caller was cancelled)."""
        self._probing = False

    def _too_many(self) -> bool:
        if self._failures >= self._profile.breaker_failures:
            return True
        failed = self._failures_seen.total()
        calls = failed + self._successes_seen.total()
        return calls >= self._profile.breaker_calls_min and failed > (1 - self._profile.breaker_success_rate) * calls

    def _open(self) -> None:
        longest = min(self._profile.breaker_open_max, self._profile.breaker_open_min * 2**self._openings)
        self._open_until = self._monotonic() + longest * (1 + self._rng.random()) / 2
        self._openings, self._probing = self._openings + 1, False
        self._on_change(True)
