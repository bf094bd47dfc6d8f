"""Nack admission control: a client whose callee refuses more than half of its calls drops some itself (finagle `NackAdmissionFilter`, after the SRE book).

The share of accepted calls is a moving average over time. Below a half, a call is dropped with p = min(0.75, 1 - 2 * accepted), so that
recovery is always seen. Clients of fewer than 5 calls a second are left alone.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

from reference_app.contract.profile import LAB, Profile
from reference_app.kit.windowed import WindowedSum

THRESHOLD, DROPPED_MAX, CALLS_MIN = 0.5, 0.75, 5.0
_FORGOTTEN = 0.999
"""An average that has come back so far is 1 again, where a call costs one comparison."""


class NackAdmission:
    """Of calls to one group; `enabled` is asked only while it refuses."""

    def __init__(
        self,
        *,
        enabled: Callable[[], bool] = lambda: True,
        profile: Profile = LAB,
        monotonic: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self._enabled, self._window, self._monotonic, self._rng = enabled, profile.admission_window, monotonic, rng or random.Random()
        self._accepted, self._updated_at = 1.0, 0.0
        self._calls = WindowedSum(1.0, monotonic=monotonic)

    @property
    def accepted(self) -> float:
        """Moving average of the share of calls that were no nacks."""
        return self._accepted

    def drops(self) -> bool:
        """Whether this call is not made."""
        if self._accepted == 1.0:
            return False
        self._calls.add(1)
        if self._accepted >= THRESHOLD or self._calls.total() < CALLS_MIN or not self._enabled():
            return False
        return self._rng.random() < min(DROPPED_MAX, 1 - self._accepted / THRESHOLD)

    def answered(self, *, nack: bool) -> None:
        """A call was answered, or a nack came back."""
        if not nack and self._accepted == 1.0:
            return
        now = self._monotonic()
        if self._accepted == 1.0:
            self._updated_at = now - 1 / CALLS_MIN
        weight = math.exp((self._updated_at - now) / self._window)
        self._accepted, self._updated_at = (0.0 if nack else 1 - weight) + weight * self._accepted, now
        if self._accepted > _FORGOTTEN:
            self._accepted = 1.0
