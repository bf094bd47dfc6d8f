"""Feeds what search knows from the event stream, from its start and for ever."""

from __future__ import annotations

import contextvars
import logging
import time
from typing import Any

import msgspec

from reference_app.contract import metrics, storage
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import stream
from reference_app.kit.replay import Replay
from reference_app.services.search.recent import Recent

logger = logging.getLogger(__name__)


class Consumer:
    """`complete` while everything that the stream keeps has been read and the stream answers."""

    def __init__(self, replay: Replay, recent: Recent, *, recorder: Recorder) -> None:
        self._replay, self._recent, self._recorder = replay, recent, recorder
        self.complete = False

    async def run(self) -> None:
        """Consume until cancelled, or until the stream is lost (CallError); run again to go on."""
        self.complete = False
        await self._replay.open()
        try:
            while True:
                batch = await self._replay.fetch()
                for message in batch.messages:
                    contextvars.copy_context().run(self._take, message)
                self.complete = batch.pending == 0
                self._recorder.gauge(metrics.INDEXED_TWEETS, len(self._recent))
        finally:
            self.complete = False

    def _take(self, message: Any) -> None:
        stream.enter(message)
        started = time.perf_counter()
        try:
            event = msgspec.json.decode(message.data, type=storage.TweetEvent)
        except msgspec.DecodeError as error:
            logger.error("message %s is no event, so search does without: %s", message.data, error)  # noqa: TRY400 - what is wrong is the message
            return
        if message.subject == storage.SUBJECT_DELETED:
            self._recent.deleted(event)
        else:
            self._recent.posted(event)
        seconds = time.perf_counter() - started
        self._recorder.consumed(self._replay.peer, message.subject, "ok", seconds, tweet_id=event.tweet_id)
