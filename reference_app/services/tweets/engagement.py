"""Likes and retweets: one row per user and tweet, so that nothing is counted twice."""

from __future__ import annotations

import time
from collections.abc import Sequence

from reference_app.contract import api, ids
from reference_app.contract.api import Created, NewTweet
from reference_app.kit import errors
from reference_app.kit.shard import Shard
from reference_app.services.tweets import store
from reference_app.services.tweets.posting import Posting
from reference_app.services.tweets.reading import Reading


class Engagement:
    """Likes are on the tweet's shard; a retweet is a tweet of its own, on any."""

    def __init__(self, shards: Sequence[Shard], reading: Reading, posting: Posting) -> None:
        self._shards, self._reading, self._posting = shards, reading, posting

    async def retweet(self, user_id: int, tweet_id: int) -> Created:
        """A retweet of the original, also when `tweet_id` is a retweet. Raises AppError as `Reading.one` and `Posting.post` do."""
        tweet = await self._reading.one(tweet_id)
        original = tweet.retweet_of or tweet.id
        return await self._posting.post(NewTweet(user_id, f"{api.RETWEET_KEY}{original}", "", retweet_of=original))

    async def like(self, tweet_id: int, user_id: int) -> None:
        """May be repeated. Raises AppError not_found, unavailable or indeterminate."""
        shard = self._shard_of(tweet_id)
        try:
            liked = await shard.primary.write("like", lambda session: store.like(session, tweet_id, user_id, now_ms=_now_ms()))
        except errors.CallError as error:
            raise errors.answer_to(error, writing=True) from error
        if not liked:
            raise _no_tweet(tweet_id)

    async def unlike(self, tweet_id: int, user_id: int) -> None:
        """May be repeated, also after the tweet was deleted. Raises AppError as `like` does."""
        shard = self._shard_of(tweet_id)
        try:
            await shard.primary.write("unlike", lambda session: store.unlike(session, tweet_id, user_id, now_ms=_now_ms()))
        except errors.CallError as error:
            raise errors.answer_to(error, writing=True) from error

    def _shard_of(self, tweet_id: int) -> Shard:
        index = ids.shard_of(tweet_id)
        if index >= len(self._shards):
            raise _no_tweet(tweet_id)
        return self._shards[index]


def _no_tweet(tweet_id: int) -> errors.AppError:
    return errors.AppError("not_found", f"there is no tweet {tweet_id}")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
