"""A database shard: a primary that takes writes and a replica that proves them durable and may serve reads."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from reference_app.contract.profile import LAB
from reference_app.kit import deadline, errors
from reference_app.kit.deciders import Deciders
from reference_app.kit.retrying import Retries
from reference_app.kit.roles import Roles
from reference_app.kit.sql import Database, Session

T = TypeVar("T")


@dataclass(frozen=True)
class OwnRead(Generic[T]):
    """`stale`: it comes from a replica that has not applied yet what the reader wrote."""

    value: T
    of_primary: bool
    stale: bool = False


@dataclass(frozen=True)
class Shard:
    """`members` are its databases by name; `born_primary` is the primary until another member was promoted."""

    index: int
    name: str
    members: Mapping[str, Database]
    born_primary: str
    deciders: Deciders
    roles: Roles
    retries: Retries

    @property
    def primary(self) -> Database:
        """Where writes go now."""
        return self.members[self.roles.primary_of(self.name) or self.born_primary]

    @property
    def replica(self) -> Database | None:
        """None in a topology without replicas."""
        primary = self.roles.primary_of(self.name) or self.born_primary
        return next((member for name, member in self.members.items() if name != primary), None)

    async def read(self, operation: str, work: Callable[[Session], Awaitable[T]]) -> tuple[T, bool]:
        """Result of the primary or, when that did not answer and the decider allows, of the replica; and whether it was the primary's."""
        found = await self.read_own(operation, work, after="")
        return found.value, found.of_primary

    async def read_own(self, operation: str, work: Callable[[Session], Awaitable[T]], *, after: str) -> OwnRead[T]:
        """`read`, where a replica first waits for the transaction `after` (a GTID, or empty), as long as the profile allows."""
        return await self.retries.run(lambda _left: self._read_once(operation, work, after), repeatable=True, limit=LAB.sql_timeout)

    async def _read_once(self, operation: str, work: Callable[[Session], Awaitable[T]], after: str) -> OwnRead[T]:
        replica = self.replica
        # A primary that hangs must leave the replica time to answer within the caller's deadline.
        patience = math.inf if replica is None else deadline.left() / 2
        try:
            return OwnRead(await self.primary.read(operation, work, limit=patience), of_primary=True)
        except errors.CallError:
            if replica is None or not self.deciders.on("replica_reads"):
                raise

        async def caught_up(session: Session) -> OwnRead[T]:
            applied = not after or await session.await_position(after, LAB.own_write_wait)
            return OwnRead(await work(session), of_primary=False, stale=not applied)

        return await replica.read(operation, caught_up)

    @property
    def durable(self) -> Database:
        """Where a row that is found is known to be on every disk it was promised to.

        With AFTER_SYNC the primary has a transaction in its binlog before the replica gets it, so the replica's copy is the second one.
        """
        return self.replica or self.primary
