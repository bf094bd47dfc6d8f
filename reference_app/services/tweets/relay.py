"""The outbox relay: publishes what posts committed, at least once, and tidies up behind itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from functools import partial

import msgspec

from reference_app.contract import metrics, storage
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors, tasks, tracing
from reference_app.kit.deciders import Deciders
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.shard import Shard
from reference_app.kit.sql import Session
from reference_app.kit.stream import Stream
from reference_app.services.tweets import store
from reference_app.services.tweets.domain import OutboxRow
from reference_app.services.tweets.forgetting import Forgetting

logger = logging.getLogger(__name__)
BATCH, POLL_SECONDS, COUNT_SECONDS, WATCH_SECONDS, PURGE_SECONDS = 100, 0.5, 1.0, 1.0, 60.0


class Relay:
    """One loop per shard. Rows are locked while they are published, so several relays share the work and none blocks posts."""

    def __init__(
        self,
        shards: Sequence[Shard],
        stream: Stream,
        forgetting: Forgetting,
        *,
        deciders: Deciders,
        failpoints: Failpoints,
        recorder: Recorder,
        profile: Profile = LAB,
    ) -> None:
        self._shards, self._stream, self._forgetting, self._profile, self._deciders = shards, stream, forgetting, profile, deciders
        self._failpoints, self._recorder = failpoints, recorder
        self._wake = {shard.index: asyncio.Event() for shard in shards}
        self._losses = 0
        self._heard = {shard.index: 0 for shard in shards}
        """How often the stream was lost, and up to which of the losses a shard has published again. Only who makes the stream is told,
        so a shard that is away then must not be forgotten, nor a loss that comes while it publishes again for the last one."""

    def wake(self, shard_index: int) -> None:
        """A post or a deletion committed on the shard."""
        self._wake[shard_index].set()

    async def run(self, shard: Shard) -> None:
        """Publish until cancelled."""
        await self._open()
        while True:
            if self._heard[shard.index] != (losses := self._losses):
                await self._republish(shard)
                self._heard[shard.index] = losses
            if not self._deciders.on("outbox_relay"):
                await asyncio.sleep(POLL_SECONDS)
                continue
            published = await shard.primary.write("relay_outbox", lambda session: self._publish(session, shard))
            if published < BATCH:
                await tasks.rest(self._wake[shard.index], POLL_SECONDS)

    async def tidy(self) -> None:
        """Export the backlog each second, purge old rows each minute, until cancelled."""
        purge_at = 0.0
        while True:
            for shard in self._shards:
                await self._export(shard)
            if time.monotonic() >= purge_at:
                await self._purge()
                purge_at = time.monotonic() + PURGE_SECONDS
            await asyncio.sleep(COUNT_SECONDS)

    async def watch(self) -> None:
        """See to the stream each second, until cancelled: it may come back empty while nobody posts. While it is away this waits for it."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            with contextlib.suppress(errors.CallError):
                await self._open()

    async def _open(self) -> None:
        """Make the stream if it is not there; who makes it has to publish again."""
        if await self._stream.open():
            logger.info("the stream was empty: what the outbox keeps is published again")
            self._losses += 1

    async def _publish(self, session: Session, shard: Shard) -> int:
        rows = await store.claim_unpublished(session, BATCH)
        if not rows:
            return 0
        await asyncio.gather(*(self._publish_row(shard.primary.peer, row) for row in rows))
        self._forgetting.remember([_tweet_id(row.payload) for row in rows if row.subject == storage.SUBJECT_DELETED])
        self._failpoints.hit("relay.after_publish")
        await store.mark_published(session, [row.id for row in rows])
        return len(rows)

    async def _publish_row(self, database: str, row: OutboxRow) -> None:
        """In a task of its own: each row is published under the trace of its post.

        Its time is part of the message's id, because the numbers of an outbox that was emptied or restored begin anew.
        """
        context, message_id = tracing.parse(row.traceparent), f"{database}-{row.id}-{row.created_ms}"
        tracing.current.set(context)
        await self._stream.publish(row.subject, row.payload, message_id=message_id)
        if context is not None and context.sampled:
            logger.info("published", extra={"attributes": {"subject": row.subject, "message_id": message_id}})

    async def _republish(self, shard: Shard) -> None:
        """In steps, each of which fits into a statement's time whatever the outbox holds."""
        since, last = _now_ms() - int(self._profile.outbox_keep * 1000), 0
        while True:
            last = await shard.primary.write("unpublish", partial(store.unpublish_since, created_ms=since, after=last))
            if not last:
                return

    async def _export(self, shard: Shard) -> None:
        try:
            (waiting, since_ms), _ = await shard.read("count_outbox", store.unpublished)
        except errors.CallError:
            return
        age_ms = 0 if since_ms is None else max(0, _now_ms() - since_ms)
        self._recorder.gauge(metrics.OUTBOX_UNPUBLISHED, waiting, shard.name)
        self._recorder.gauge(metrics.OUTBOX_OLDEST, age_ms / 1000, shard.name)

    async def _purge(self) -> None:
        before = _now_ms() - int(self._profile.outbox_keep * 1000)
        for shard in self._shards:
            purged = store.PURGED_AT_ONCE
            with contextlib.suppress(errors.CallError):
                while purged == store.PURGED_AT_ONCE:
                    purged = await shard.primary.write("purge_outbox", lambda session: store.purge_published(session, before))


def _tweet_id(payload: bytes) -> int:
    return msgspec.json.decode(payload, type=storage.TweetEvent).tweet_id


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
