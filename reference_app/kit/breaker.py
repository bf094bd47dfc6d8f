"""Circuit breaker by consecutive failures, with a jittered, growing dead time and one probe (finagle failure accrual)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from reference_app.contract.profile import LAB, Profile


class Breaker:
    """Closed until `profile.breaker_failures` failures in a row; then open for a time that doubles from min to max, equal jitter.

    When the time is over a single call is let through: its success closes the breaker, its failure opens it for longer.
    """

    def __init__(
        self,
        *,
        profile: Profile = LAB,
        monotonic: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
        on_change: Callable[[bool], None] = lambda _is_open: None,
    ) -> None:
        self._profile, self._monotonic, self._rng, self._on_change = profile, monotonic, rng or random.Random(), on_change
        self._failures, self._openings, self._open_until, self._probing = 0, 0, 0.0, False

    @property
    def is_open(self) -> bool:
        """True while calls are refused or a probe is out."""
        return self._openings > 0

    def allow(self) -> bool:
        """Whether a call may be made now. Each True must be followed by `success`, `failure` or `abandon`."""
        if not self.is_open:
            return True
        if self._probing or self._monotonic() < self._open_until:
            return False
        self._probing = True
        return True

    def success(self) -> None:
        """The call was answered."""
        was_open = self.is_open
        self._failures, self._openings, self._probing = 0, 0, False
        if was_open:
            self._on_change(False)

    def failure(self) -> None:
        """The call was refused, lost or timed out."""
        self._failures += 1
        if self._probing or self._failures == self._profile.breaker_failures:
            self._open()

    def abandon(self) -> None:
        """The call ended for a reason that says nothing about the peer (the caller was cancelled)."""
        self._probing = False

    def _open(self) -> None:
        longest = min(self._profile.breaker_open_max, self._profile.breaker_open_min * 2**self._openings)
        self._open_until = self._monotonic() + longest * (1 + self._rng.random()) / 2
        self._openings, self._probing = self._openings + 1, False
        self._on_change(True)
