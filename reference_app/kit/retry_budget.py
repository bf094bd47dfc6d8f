"""Retry budget: retries are paid for by successes, so that they can never be more than a fifth of the traffic (finagle `RetryBudget`).

A leaky token bucket: each logical request that succeeds deposits 1, each retry costs 1 / share, and deposits expire. A reserve lets
clients with little traffic retry at all. One request may use a fifth of what is there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from reference_app.contract.profile import LAB, Profile
from reference_app.kit.windowed import WindowedSum


class RetryBudget:
    """One for everything that retries calls to one group of a process."""

    def __init__(self, *, profile: Profile = LAB, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._share, self._cost = profile.retry_budget_share, 1 / profile.retry_budget_share
        self._reserve = profile.retry_budget_reserve * profile.retry_budget_ttl * self._cost
        self._tokens = WindowedSum(profile.retry_budget_ttl, monotonic=monotonic)

    def deposit(self) -> None:
        """A logical request succeeded, at whichever attempt."""
        self._tokens.add(1)

    @property
    def balance(self) -> float:
        """Retries that could be paid for now."""
        return max(0.0, (self._tokens.total() + self._reserve) / self._cost)

    def withdraw(self, already: int = 0) -> bool:
        """Pay for a retry of a request that has had `already`. False when there is too little, or when it would be over its part."""
        balance = self.balance
        if balance < 1 or already >= math.ceil(self._share * (balance + already)):
            return False
        self._tokens.add(-self._cost)
        return True
