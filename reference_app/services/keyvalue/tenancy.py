"""What keeps tenants apart: a quota for the reads and for the writes of each, and connections that are nobody else's (a bulkhead)."""

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
HOLD_S, HELD_MAX = 0.1, 64
"""A refusal is held so long at most, so many at once: who comes again at once is slowed down, and does not cost others the processor."""
CONNECTIONS, WAITING = 4, 32
"""Of a tenant for one kind of access; more requests in line for them are refused."""


class Quotas:
    """Keys a second of each tenant, as the deciders say now."""

    def __init__(
        self,
        deciders: Deciders,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._deciders, self._sleep, self._held = deciders, sleep, 0
        self._buckets = {
            (tenant, access): self._bucket(keyvalue.quota(tenant, access), monotonic) for tenant in keyvalue.TENANTS for access in ACCESSES
        }

    async def charge(self, tenant: str, access: Access, keys: int) -> None:
        """Raises AppError quota_exceeded, after a while, with the time until there is some again."""
        if not self._deciders.on(QUOTAS):
            return
        wait = self._buckets[tenant, access].take(keys)
        if wait:
            await self._hold(min(wait, HOLD_S))
            raise errors.AppError("quota_exceeded", f"{tenant} has used up the {access} of its quota: try again later", retry_after=wait)

    async def _hold(self, seconds: float) -> None:
        if self._held >= HELD_MAX:
            return
        self._held += 1
        try:
            await self._sleep(seconds)
        finally:
            self._held -= 1

    def _bucket(self, decider: str, monotonic: Callable[[], float]) -> TokenBucket:
        return TokenBucket(lambda: self._deciders.value(decider), monotonic=monotonic)


class Bulkheads:
    """The database, through the connections of a tenant with a short line before them, or through common ones while the decider is off."""

    def __init__(self, deciders: Deciders, own: Mapping[tuple[str, Access], Shard], common: Shard) -> None:
        self._deciders, self._own, self._common = deciders, own, common
        self._lines = {whose: ConcurrencyLimit(running=lambda: CONNECTIONS, waiting=WAITING) for whose in own}

    @asynccontextmanager
    async def entered(self, tenant: str, access: Access) -> AsyncIterator[Shard]:
        """Raises AppError overloaded when the line is full, deadline_exceeded when it took too long."""
        if not self._deciders.on(BULKHEADS):
            yield self._common
            return
        line = self._lines[tenant, access]
        if not line.enter():
            await line.wait()
        try:
            yield self._own[tenant, access]
        finally:
            line.leave()
