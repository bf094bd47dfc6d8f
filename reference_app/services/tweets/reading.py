"""Reading tweets: cache first, then the shards side by side; what cannot be asked for is said, never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from reference_app.contract import ids, storage
from reference_app.contract.api import Tweet, TweetIds, Tweets
from reference_app.kit import errors
from reference_app.kit.shard import Shard
from reference_app.services.tweets import store
from reference_app.services.tweets.domain import StoredTweet
from reference_app.services.tweets.tweet_cache import TweetCache


class Reading:
    """Multiget and user timelines over all shards."""

    def __init__(self, shards: Sequence[Shard], cache: TweetCache) -> None:
        self._shards, self._cache = shards, cache

    async def multiget(self, tweet_ids: Sequence[int]) -> Tweets:
        """Each id is in exactly one of the three lists of the answer."""
        cached = await self._cache.get(tweet_ids)
        wanted = [tweet_id for tweet_id in tweet_ids if tweet_id not in cached]
        result = Tweets([], [], [])
        fresh: dict[int, bytes] = {}
        for tweet_id, value in cached.items():
            _sort_in(result, tweet_id, value)
        for part in await asyncio.gather(*(self._from_shard(shard, group) for shard, group in self._by_shard(wanted))):
            fresh |= part
        for tweet_id in wanted:
            if tweet_id in fresh:
                _sort_in(result, tweet_id, fresh[tweet_id])
            else:
                result.unavailable.append(tweet_id)
        if fresh:
            await self._cache.put(fresh)
        return result

    async def one(self, tweet_id: int) -> Tweet:
        """A tweet that is in view, which a retweet is as long as its original. Raises AppError not_found, or unavailable when nobody knows."""
        found = await self.multiget([tweet_id])
        if found.unavailable:
            raise errors.AppError("unavailable", f"the shard of tweet {tweet_id} did not answer", retry_after=1)
        if found.deleted:
            raise errors.AppError("not_found", f"there is no tweet {tweet_id}")
        (tweet,) = found.tweets
        if tweet.retweet_of is not None:
            await self.one(tweet.retweet_of)
        return tweet

    async def ids_by_users(self, user_ids: Sequence[int], *, limit: int, before: int) -> TweetIds:
        """Newest ids of the authors over all shards."""
        parts = await asyncio.gather(*(self._ids_from(shard, user_ids, limit, before) for shard in self._shards))
        merged = sorted((tweet_id for part in parts if part is not None for tweet_id in part), reverse=True)
        return TweetIds(merged[:limit], complete=None not in parts)

    async def _from_shard(self, shard: Shard | None, tweet_ids: list[int]) -> dict[int, bytes]:
        if shard is None:
            return dict.fromkeys(tweet_ids, storage.DELETED_TWEET)
        try:
            rows, of_primary = await shard.read("get_tweets", lambda session: store.by_ids(session, tweet_ids))
        except errors.CallError:
            return {}
        values = {row.tweet.id: _encoded(row) for row in rows}
        # A replica may lag: only the primary's silence means that there is no such tweet.
        return dict.fromkeys(tweet_ids, storage.DELETED_TWEET) | values if of_primary else values

    async def _ids_from(self, shard: Shard, user_ids: Sequence[int], limit: int, before: int) -> list[int] | None:
        try:
            found, _ = await shard.read(
                "get_user_tweets", lambda session: store.ids_by_users(session, user_ids, limit=limit, before=before)
            )
        except errors.CallError:
            return None
        return found

    def _by_shard(self, tweet_ids: Sequence[int]) -> list[tuple[Shard | None, list[int]]]:
        groups: dict[int, list[int]] = {}
        for tweet_id in tweet_ids:
            groups.setdefault(ids.shard_of(tweet_id), []).append(tweet_id)
        return [(self._shards[index] if index < len(self._shards) else None, group) for index, group in groups.items()]


def _encoded(row: StoredTweet) -> bytes:
    return storage.DELETED_TWEET if row.deleted else msgspec.json.encode(row.tweet)


def _sort_in(result: Tweets, tweet_id: int, value: bytes) -> None:
    if value == storage.DELETED_TWEET:
        result.deleted.append(tweet_id)
    else:
        result.tweets.append(msgspec.json.decode(value, type=Tweet))
