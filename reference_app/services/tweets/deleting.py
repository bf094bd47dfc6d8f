"""Deleting: the answer is 204 only when the tombstone is durable; caches and the stream hear of it through the outbox.

What keeps a deleted tweet from coming back: the tombstone commits with its replica (AFTER_SYNC), and whoever reads a database reads it from then
on, a replica some milliseconds later; a cached copy is overwritten by a marker that fills cannot replace (tweet_cache) and that is set again until
every cache took it (forgetting); timelines and counts hold ids, and whoever shows an id asks for its tweet first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from reference_app.contract import ids
from reference_app.kit import errors
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.shard import Shard
from reference_app.services.tweets import domain, store
from reference_app.services.tweets.domain import StoredTweet
from reference_app.services.tweets.forgetting import Forgetting


class Deleting:
    def __init__(self, shards: Sequence[Shard], forgetting: Forgetting, failpoints: Failpoints) -> None:
        self._shards, self._forgetting, self._failpoints = shards, forgetting, failpoints

    async def delete(self, tweet_id: int, user_id: int) -> None:
        """May be repeated. Raises AppError not_found, forbidden (somebody else's), unavailable (surely not done) or indeterminate."""
        index = ids.shard_of(tweet_id)
        found = await self._tombstone(self._shards[index], tweet_id, user_id) if index < len(self._shards) else None
        if found is None or (found.deleted and found.tweet.user_id != user_id):
            raise errors.AppError("not_found", f"there is no tweet {tweet_id}")
        if found.tweet.user_id != user_id:
            raise errors.AppError("forbidden", "only its author may delete a tweet")
        self._failpoints.hit("delete.after_commit")
        await self._forgetting.mark([tweet_id])
        if found.duplicate_of is not None:
            await self.delete(found.duplicate_of, user_id)

    async def _tombstone(self, shard: Shard, tweet_id: int, user_id: int) -> StoredTweet | None:
        now_ms = time.time_ns() // 1_000_000
        try:
            found = await shard.primary.write("delete_tweet", lambda session: store.delete(session, tweet_id, user_id, now_ms=now_ms))
        except errors.OutcomeUnknown:
            return await self._confirmed(shard, tweet_id)
        except errors.CallError as error:
            raise errors.answer_to(error, writing=True) from error
        return await self._confirmed(shard, tweet_id) if found is not None and found.deleted else found

    async def _confirmed(self, shard: Shard, tweet_id: int) -> StoredTweet:
        """The tombstone as the second copy has it: an earlier attempt may have committed on the primary alone."""
        for _ in range(domain.APPLY_POLLS):
            try:
                rows = await shard.durable.read("find_tombstone", lambda session: store.by_ids(session, [tweet_id]))
            except (errors.CallError, errors.AppError):  # the latter when no time is left to ask: it stays unknown
                break
            if rows and rows[0].deleted:
                return rows[0]
            await asyncio.sleep(domain.APPLY_POLL_SECONDS)
        raise errors.AppError("indeterminate", "the tweet may or may not have been deleted: delete it again", retry_after=1)
