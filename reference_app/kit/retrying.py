"""Retries: up to three attempts with jittered backoff, under a policy that a decider chooses while the lab runs.

`budgeted` is what holds: it repeats only what surely had no effect or could not have one, only where the failure is nearest, and only while
the budget pays. `naive` repeats every failed read at every layer, which multiplies: two layers of three attempts are nine. A write of unknown
outcome is repeated by no policy.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from reference_app.contract.profile import LAB, Profile
from reference_app.kit import deadline, errors
from reference_app.kit.deciders import Deciders
from reference_app.kit.retry_budget import RetryBudget

T = TypeVar("T")
DECIDER, ATTEMPT_TIMEOUT = "retries", "attempt_timeout"
Policy = Literal["off", "naive", "budgeted"]
POLICIES: tuple[Policy, ...] = ("off", "naive", "budgeted")
"""By the decider's value."""
Failure = Literal["unsent", "lost", "answered", "final"]
"""unsent: it surely had no effect (refused, or a nack) · lost: a read that nobody answered · answered: a read whose answer is a failure,
which its callee met behind it, or which used up its time · final: everything else."""
_REPEATED: dict[Policy, frozenset[Failure]] = {
    "off": frozenset(),
    "naive": frozenset({"unsent", "lost", "answered"}),
    "budgeted": frozenset({"unsent", "lost"}),
}
_OWN_REFUSALS = ("breaker_open", "pool_exhausted")
"""Calls that we ourselves did not make, so as not to make things worse."""
_LATE_OR_FAILED = ("timeout", "5xx")
Count = Callable[[Policy, str], None]
"""Told of each retry: `ok` or `failed`; and of one that was not made: `over_budget` or `no_time`."""


def uncounted(_policy: Policy, _outcome: str) -> None:
    """Count nothing."""


def failure_of(error: errors.CallError, *, repeatable: bool) -> Failure:
    """The kind of a failed call; `repeatable` is true of reads."""
    if error.outcome in _OWN_REFUSALS:
        return "final"
    if isinstance(error, errors.NeverSent):
        return "unsent"
    if not repeatable:
        return "final"
    if error.outcome in _LATE_OR_FAILED:
        return "answered"
    return "lost" if isinstance(error, errors.OutcomeUnknown) else "final"


class Retries:
    """Of calls to one group, all out of one budget."""

    def __init__(
        self,
        deciders: Deciders,
        budget: RetryBudget,
        *,
        count: Count = uncounted,
        profile: Profile = LAB,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._deciders, self._budget, self._count = deciders, budget, count
        self._profile, self._rng, self._sleep = profile, rng or random.Random(), sleep

    async def run(self, attempt: Callable[[float], Awaitable[T]], *, repeatable: bool, limit: float) -> T:
        """The result of the first attempt that succeeds; raises the CallError of the last. Attempts get the seconds that are left of `limit`."""
        ends = time.monotonic() + limit
        try:
            result = await attempt(limit)
        except errors.CallError as error:
            failed = error
        else:
            self.succeeded()
            return result
        return await self.repeat(attempt, failed, repeatable=repeatable, ends=ends)

    def patience(self, left: float) -> float:
        """Seconds that one attempt of a read may take of those that are left."""
        most_ms = self._deciders.value(ATTEMPT_TIMEOUT)
        return min(left, most_ms / 1000) if most_ms else left

    def succeeded(self) -> None:
        """A call did at its first attempt."""
        self._budget.deposit()

    async def repeat(self, attempt: Callable[[float], Awaitable[T]], failed: errors.CallError, *, repeatable: bool, ends: float) -> T:
        """`run` from where a first attempt has failed; `ends` on the monotonic clock."""
        already = 0
        while (policy := await self._once_more(failure_of(failed, repeatable=repeatable), already, ends)) is not None:
            already += 1
            try:
                result = await attempt(ends - time.monotonic())
            except errors.CallError as error:
                self._count(policy, "failed")
                failed = error
            else:
                self._count(policy, "ok")
                self._budget.deposit()
                return result
        raise failed

    async def _once_more(self, failure: Failure, already: int, ends: float) -> Policy | None:
        """The policy under which to try again, after its pause; None when it is enough."""
        policy = POLICIES[min(self._deciders.value(DECIDER), len(POLICIES) - 1)]
        if failure not in _REPEATED[policy] or already + 1 >= self._profile.retry_attempts:
            return None
        pause = self._profile.retry_backoff * 2**already * (1 + self._rng.random()) / 2
        if pause >= min(ends - time.monotonic(), deadline.left()):
            self._count(policy, "no_time")
            return None
        if policy == "budgeted" and not self._budget.withdraw(already):
            self._count(policy, "over_budget")
            return None
        await self._sleep(pause)
        return policy
