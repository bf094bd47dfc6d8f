"""Posting: exactly one acknowledgement rule, and never a second insert while a first may still succeed (docs/adr/0003)."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Sequence

from reference_app.contract import consistency, metrics
from reference_app.contract.api import Created, NewTweet, Tweet
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.shard import Shard
from reference_app.kit.sql import Session
from reference_app.services.tweets import domain, store
from reference_app.services.tweets.snowflake import Snowflake


class Posting:
    """Tries shards in the key's order; only an attempt that was surely never sent moves on to the next."""

    def __init__(self, shards: Sequence[Shard], snowflake: Snowflake, *, failpoints: Failpoints, recorder: Recorder) -> None:
        self._shards, self._snowflake, self._failpoints, self._recorder = shards, snowflake, failpoints, recorder

    async def post(self, wanted: NewTweet) -> Created:
        """The stored tweet. Raises Rejected and AppError unavailable (surely not stored), or indeterminate (retry with the same key)."""
        try:
            created = await self._post(wanted)
        except (errors.AppError, errors.Rejected) as error:
            unknown = isinstance(error, errors.AppError) and error.code == "indeterminate"
            self._recorder.count(metrics.POSTS, "indeterminate" if unknown else "refused")
            raise
        self._recorder.count(metrics.POSTS, "replayed" if created.replayed else "acknowledged")
        return created

    async def _post(self, wanted: NewTweet) -> Created:
        order = domain.shard_order(wanted.user_id, wanted.key, len(self._shards))
        for position, index in enumerate(order):
            shard = self._shards[index]
            try:
                return await self._attempt(shard, wanted, diverted=position > 0)
            except errors.NeverSent:
                # An earlier attempt of this key may have reached the shard before it went away: its replica knows.
                if (earlier := await self._stored(shard, wanted)) is not None:
                    return earlier
        raise errors.AppError("unavailable", "no tweet shard takes posts at the moment", retry_after=1)

    async def _attempt(self, shard: Shard, wanted: NewTweet, *, diverted: bool) -> Created:
        tweet = Tweet(
            self._snowflake.next(shard.index), wanted.user_id, wanted.text, in_reply_to=wanted.in_reply_to, retweet_of=wanted.retweet_of
        )

        async def insert(session: Session) -> None:
            await store.insert(session, tweet, key=wanted.key, diverted=diverted, now_ms=time.time_ns() // 1_000_000)

        self._failpoints.hit("post.before_insert")
        try:
            _, gtid = await shard.primary.write_placed("insert_tweet", insert)
        except errors.Duplicate:
            return await self._resolve(shard, wanted)
        except errors.OutcomeUnknown:
            return await self._resolve(shard, wanted)
        self._failpoints.hit("post.after_commit")
        if diverted:
            self._recorder.count(metrics.POSTS, "diverted")
        return Created(tweet, replayed=False, own=consistency.of_one(shard.index, gtid))

    async def _resolve(self, shard: Shard, wanted: NewTweet) -> Created:
        for _ in range(domain.APPLY_POLLS):
            if (found := await self._stored(shard, wanted)) is not None:
                return found
            await asyncio.sleep(domain.APPLY_POLL_SECONDS)
        raise errors.AppError("indeterminate", "the post may or may not have been stored: retry with the same key", retry_after=1)

    async def _stored(self, shard: Shard, wanted: NewTweet) -> Created | None:
        try:
            row = await shard.durable.read("find_key", lambda session: store.by_key(session, wanted.user_id, wanted.key))
        except (errors.CallError, errors.AppError):  # the latter when no time is left to ask: it stays unknown
            return None
        if row is None:
            return None
        return Created(dataclasses.replace(row.tweet, id=row.duplicate_of or row.tweet.id), replayed=True)
