"""Reading tweets: cache first, then the shards side by side; what cannot be asked for is said, never guessed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from reference_app.contract import ids, storage
from reference_app.contract.api import Tweet, TweetIds
from reference_app.kit import errors
from reference_app.kit.shard import OwnRead, Shard
from reference_app.services.tweets import store
from reference_app.services.tweets.cold_reads import ColdReads
from reference_app.services.tweets.domain import StoredTweet
from reference_app.services.tweets.tweet_cache import TweetCache

Positions = Mapping[int, str]
NOTHING: Positions = {}


class Found(msgspec.Struct, omit_defaults=True):
    """contract.api.Tweets as it is answered: the tweets are JSON as caches and shards gave it, which nobody has to decode here."""

    tweets: list[msgspec.Raw]
    deleted: list[int]
    unavailable: list[int]
    unknown: list[int] = []


class Reading:
    """Multiget and user timelines over all shards."""

    def __init__(self, shards: Sequence[Shard], cache: TweetCache, cold_reads: ColdReads) -> None:
        self._shards, self._cache, self._cold_reads = shards, cache, cold_reads

    async def multiget(self, tweet_ids: Sequence[int], own: Positions = NOTHING) -> Found:
        """Each id is in exactly one of the lists of the answer. `own` is what the reader wrote, by shard."""
        found = await self._cache.get(tweet_ids)
        values = found.values
        if found.stale:
            self._cold_reads.refresh_soon(found.stale)
        if cold := [tweet_id for tweet_id in tweet_ids if tweet_id not in values]:
            values |= await self._cold_reads.values(cold)
        result = Found([], [], [tweet_id for tweet_id in tweet_ids if tweet_id not in values] if cold else [])
        for tweet_id, value in values.items():
            if value == storage.DELETED_TWEET:
                result.deleted.append(tweet_id)
            elif value == storage.NO_TWEET:
                result.unknown.append(tweet_id)
            else:
                result.tweets.append(msgspec.Raw(value))
        return await self._with_own(result, own) if own and result.unavailable else result

    async def one(self, tweet_id: int, own: Positions = NOTHING) -> Tweet:
        """A tweet that is in view, which a retweet is as long as its original. Raises AppError not_found, or unavailable when nobody knows."""
        found = await self.multiget([tweet_id], own)
        if found.unavailable:
            raise errors.AppError("unavailable", f"the shard of tweet {tweet_id} did not answer", retry_after=1)
        if found.deleted or found.unknown:
            raise errors.AppError("not_found", f"there is no tweet {tweet_id}")
        tweet = msgspec.json.decode(found.tweets[0], type=Tweet)
        if tweet.retweet_of is not None:
            await self.one(tweet.retweet_of)
        return tweet

    async def ids_by_users(self, user_ids: Sequence[int], *, limit: int, before: int, own: Positions = NOTHING) -> TweetIds:
        """Newest ids of the authors over all shards. `own` is what the reader wrote, by shard."""

        async def ids_from(shard: Shard) -> OwnRead[list[int]] | None:
            try:
                return await shard.read_own(
                    "get_user_tweets",
                    lambda session: store.ids_by_users(session, user_ids, limit=limit, before=before),
                    after=own.get(shard.index, ""),
                )
            except errors.CallError:
                return None

        parts = await asyncio.gather(*(ids_from(shard) for shard in self._shards))
        answered = [part for part in parts if part is not None]
        merged = sorted((tweet_id for part in answered for tweet_id in part.value), reverse=True)
        return TweetIds(merged[:limit], complete=len(answered) == len(parts), stale=any(part.stale for part in answered))

    async def _with_own(self, found: Found, own: Positions) -> Found:
        """Ask once more for what replicas lacked on shards that the reader wrote to, waiting for what was written."""
        rows = [
            row for index, gtid in own.items() if index < len(self._shards) for row in await self._own_rows(index, gtid, found.unavailable)
        ]
        for row in rows:
            found.unavailable.remove(row.tweet.id)
            if row.deleted:
                found.deleted.append(row.tweet.id)
            else:
                found.tweets.append(msgspec.Raw(msgspec.json.encode(row.tweet)))
        return found

    async def _own_rows(self, index: int, gtid: str, unavailable: Sequence[int]) -> Sequence[StoredTweet]:
        wanted = [tweet_id for tweet_id in unavailable if ids.shard_of(tweet_id) == index]
        if not wanted:
            return ()
        try:
            read = await self._shards[index].read_own("get_own_tweets", lambda session: store.by_ids(session, wanted), after=gtid)
        except errors.CallError:
            return ()
        return read.value
