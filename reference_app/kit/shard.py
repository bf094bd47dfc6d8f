"""A database shard: a primary that takes writes and a replica that proves them durable and may serve reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from reference_app.kit import errors
from reference_app.kit.deciders import Deciders
from reference_app.kit.sql import Database, Session

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """`replica` is None in a topology without replicas."""

    index: int
    primary: Database
    replica: Database | None
    deciders: Deciders

    async def read(self, operation: str, work: Callable[[Session], Awaitable[T]]) -> tuple[T, bool]:
        """Result of the primary or, when that did not answer and the decider allows, of the replica; and whether it was the primary's."""
        try:
            return await self.primary.read(operation, work), True
        except errors.CallError:
            if self.replica is None or not self.deciders.on("replica_reads"):
                raise
            return await self.replica.read(operation, work), False

    @property
    def durable(self) -> Database:
        """Where a row that is found is known to be on every disk it was promised to.

        With AFTER_SYNC the primary has a transaction in its binlog before the replica gets it, so the replica's copy is the second one.
        """
        return self.replica or self.primary
