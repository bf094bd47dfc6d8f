"""Reading tweets: cache first, then the shards side by side; what cannot be asked for is said, never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from reference_app.contract import storage
from reference_app.contract.api import Tweet, TweetIds
from reference_app.kit import errors
from reference_app.kit.shard import Shard
from reference_app.services.tweets import store
from reference_app.services.tweets.cold_reads import ColdReads
from reference_app.services.tweets.tweet_cache import TweetCache

_GONE = (storage.DELETED_TWEET, storage.NO_TWEET)


class Found(msgspec.Struct):
    """contract.api.Tweets as it is answered: the tweets are JSON as caches and shards gave it, which nobody has to decode here."""

    tweets: list[msgspec.Raw]
    deleted: list[int]
    unavailable: list[int]


class Reading:
    """Multiget and user timelines over all shards."""

    def __init__(self, shards: Sequence[Shard], cache: TweetCache, cold_reads: ColdReads) -> None:
        self._shards, self._cache, self._cold_reads = shards, cache, cold_reads

    async def multiget(self, tweet_ids: Sequence[int]) -> Found:
        """Each id is in exactly one of the three lists of the answer."""
        found = await self._cache.get(tweet_ids)
        values = found.values
        if found.stale:
            self._cold_reads.refresh_soon(found.stale)
        if cold := [tweet_id for tweet_id in tweet_ids if tweet_id not in values]:
            values |= await self._cold_reads.values(cold)
        result = Found([], [], [tweet_id for tweet_id in tweet_ids if tweet_id not in values] if cold else [])
        for tweet_id, value in values.items():
            if value in _GONE:
                result.deleted.append(tweet_id)
            else:
                result.tweets.append(msgspec.Raw(value))
        return result

    async def one(self, tweet_id: int) -> Tweet:
        """A tweet that is in view, which a retweet is as long as its original. Raises AppError not_found, or unavailable when nobody knows."""
        found = await self.multiget([tweet_id])
        if found.unavailable:
            raise errors.AppError("unavailable", f"the shard of tweet {tweet_id} did not answer", retry_after=1)
        if found.deleted:
            raise errors.AppError("not_found", f"there is no tweet {tweet_id}")
        tweet = msgspec.json.decode(found.tweets[0], type=Tweet)
        if tweet.retweet_of is not None:
            await self.one(tweet.retweet_of)
        return tweet

    async def ids_by_users(self, user_ids: Sequence[int], *, limit: int, before: int) -> TweetIds:
        """Newest ids of the authors over all shards."""
        parts = await asyncio.gather(*(self._ids_from(shard, user_ids, limit, before) for shard in self._shards))
        merged = sorted((tweet_id for part in parts if part is not None for tweet_id in part), reverse=True)
        return TweetIds(merged[:limit], complete=None not in parts)

    async def _ids_from(self, shard: Shard, user_ids: Sequence[int], limit: int, before: int) -> list[int] | None:
        try:
            found, _ = await shard.read(
                "get_user_tweets", lambda session: store.ids_by_users(session, user_ids, limit=limit, before=before)
            )
        except errors.CallError:
            return None
        return found
