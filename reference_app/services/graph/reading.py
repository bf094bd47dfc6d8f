"""Who follows whom, read from the shard that holds the answer: from its primary or, when that does not answer, from its replica."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from reference_app.contract import storage
from reference_app.contract.api import Following
from reference_app.kit import errors
from reference_app.kit.shard import Shard
from reference_app.kit.sql import Session
from reference_app.services.graph import domain, store

T = TypeVar("T")


class Reading:
    """Raises CallError when the user's shard cannot be asked."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._shards = shards

    async def following(self, user_id: int, *, limit: int, celebrity_over: int | None) -> Following:
        """Whom the user follows, ascending, at most `limit` of them; the celebrities among all of them; and whom the user blocks."""

        async def work(session: Session) -> tuple[list[int], list[int]]:
            return await store.followees(session, user_id, domain.FOLLOWEES_MAX), await store.blocked_by(session, user_id)

        ids, blocked = await self._read(user_id, "following", work)
        return Following(ids[:limit], [] if celebrity_over is None else await self._celebrities(ids, celebrity_over), blocked)

    async def followers(self, user_id: int, *, after: int, limit: int) -> list[int]:
        """Who follows the user, ascending, above the id `after`."""
        return await self._read(user_id, "followers", lambda session: store.followers(session, user_id, after=after, limit=limit))

    async def count_followers(self, user_id: int) -> int:
        """How many follow the user."""
        return await self._read(user_id, "count_followers", lambda session: store.count_followers(session, user_id))

    async def among(self, user_id: int, ids: Sequence[int]) -> list[int]:
        """Those of `ids` that the user follows, ascending."""
        return await self._read(user_id, "among", lambda session: store.among(session, user_id, ids)) if ids else []

    async def _celebrities(self, user_ids: Sequence[int], over: int) -> list[int] | None:
        async def ask(index: int, users: list[int]) -> list[int]:
            found, _ = await self._shards[index].read("celebrities", lambda session: store.followed_by_more_than(session, users, over))
            return found

        try:
            found = await asyncio.gather(*(ask(*group) for group in domain.by_shard(user_ids, len(self._shards)).items()))
        except errors.CallError:
            return None
        return sorted(user_id for of_shard in found for user_id in of_shard)

    async def _read(self, user_id: int, operation: str, work: Callable[[Session], Awaitable[T]]) -> T:
        return (await self._shards[storage.graph_shard(user_id, len(self._shards))].read(operation, work))[0]
