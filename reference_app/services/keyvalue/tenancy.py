"""What keeps tenants apart: a quota for the reads and for the writes of each, and connections with breakers that are nobody else's (a bulkhead)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import get_args

from reference_app.contract import keyvalue
from reference_app.contract.keyvalue import Access
from reference_app.kit import errors
from reference_app.kit.concurrency import ConcurrencyLimit
from reference_app.kit.deciders import Deciders
from reference_app.kit.shard import Shard
from reference_app.kit.token_bucket import TokenBucket

ACCESSES: tuple[Access, ...] = get_args(Access)
QUOTAS, BULKHEADS = "keyvalue_quotas", "keyvalue_bulkheads"
HOLD_S, HELD_MAX = 0.1, 96
"""Seconds, and refusals at once: fewer than what is left of `service_concurrency` when every line is full."""
CONNECTIONS, WAITING = 4, 32
"""Of a tenant for one kind of access; more requests in line for them are refused."""


class Refusals:
    """Holds refusals for a moment: who comes again at once is slowed down, instead of costing others the processor. Beyond some none is held."""

    def __init__(self, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep, self._held = sleep, 0

    async def hold(self, seconds: float = HOLD_S) -> None:
        """At most `HOLD_S`."""
        if self._held >= HELD_MAX:
            return
        self._held += 1
        try:
            await self._sleep(min(seconds, HOLD_S))
        finally:
            self._held -= 1


class Quotas:
    """Keys a second of each tenant, as the deciders say now."""

    def __init__(self, deciders: Deciders, refusals: Refusals, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._deciders, self._refusals = deciders, refusals
        self._buckets = {
            (tenant, access): self._bucket(keyvalue.quota(tenant, access), monotonic) for tenant in keyvalue.TENANTS for access in ACCESSES
        }

    async def charge(self, tenant: str, access: Access, keys: int) -> None:
        """Raises AppError quota_exceeded, after a while, with the time until there is some again."""
        if not self._deciders.on(QUOTAS):
            return
        wait = self._buckets[tenant, access].take(keys)
        if wait:
            await self._refusals.hold(wait)
            raise errors.AppError("quota_exceeded", f"{tenant} has used up the {access} of its quota: try again later", retry_after=wait)

    def _bucket(self, decider: str, monotonic: Callable[[], float]) -> TokenBucket:
        return TokenBucket(lambda: self._deciders.value(decider), monotonic=monotonic)


class Bulkheads:
    """The database, through the connections of a tenant with a short line before them, or through common ones while the decider is off."""

    def __init__(self, deciders: Deciders, refusals: Refusals, own: Mapping[tuple[str, Access], Shard], common: Shard) -> None:
        self._deciders, self._refusals, self._own, self.common = deciders, refusals, own, common
        self._lines = {whose: ConcurrencyLimit(running=lambda: CONNECTIONS, waiting=WAITING) for whose in own}

    @asynccontextmanager
    async def entered(self, tenant: str, access: Access) -> AsyncIterator[Shard]:
        """Raises AppError overloaded, after a while, when the line is full, deadline_exceeded when it took too long."""
        if not self._deciders.on(BULKHEADS):
            yield self.common
            return
        line = self._lines[tenant, access]
        if not line.enter():
            await self._wait(line)
        try:
            yield self._own[tenant, access]
        finally:
            line.leave()

    async def _wait(self, line: ConcurrencyLimit) -> None:
        """A full line is its tenant's, and no nack: of those, callers would hold back what they ask for others, too."""
        try:
            await line.wait()
        except errors.AppError as error:
            if not error.nack:
                raise
            await self._refusals.hold()
            raise errors.AppError(error.code, error.message, retry_after=error.retry_after) from error
