"""Token bucket: so much a second, and at most a second's worth at once (Turner, 1986). The rate is asked for each time, so that it can be changed."""

from __future__ import annotations

import time
from collections.abc import Callable


class TokenBucket:
    """What takes more than is left is let in while anything is left, and leaves a debt: nothing is too large for ever."""

    def __init__(self, rate: Callable[[], float], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._monotonic = rate, monotonic
        self._left, self._filled_at = float("inf"), monotonic()

    def take(self, tokens: int) -> float:
        """0 when they were taken, else the seconds until something is left."""
        rate, now = self._rate(), self._monotonic()
        self._left = min(rate, self._left + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._left > 0:
            self._left -= tokens
            return 0.0
        return (1 - self._left) / rate if rate > 0 else 1.0
