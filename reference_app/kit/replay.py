"""Reads the whole event stream: what it keeps, then what comes, in order and once, for a process that rebuilds its memory from it."""

from __future__ import annotations

import contextlib
import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import nats.errors
import nats.js.errors
from nats.js import api as js_api

from reference_app.contract import storage
from reference_app.kit import calls, errors
from reference_app.kit.stream import Stream

BATCH, FETCH_SECONDS, ASK_SECONDS = 256, 1.0, 1.0
IDLE_SECONDS = 30
"""The server forgets a reader that has not asked for so long."""
_GONE = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)


@dataclass(frozen=True)
class Batch:
    """Messages in order; `pending` more are kept that were not read yet."""

    messages: list[Any] = field(default_factory=list)
    pending: int = 0


@dataclass(frozen=True)
class _Place:
    """How far the reader is: in the stream that was created then, up to that sequence number."""

    created: datetime | None = None
    sequence: int = 0


class Replay:
    """An ephemeral consumer, kept in the server's memory and made again after the last message read whenever it is lost.

    A stream that comes back empty has another creation time and is read from its start. It is not made here: its maker has to know that
    the outbox must fill it again.
    """

    def __init__(self, stream: Stream, *, observe: calls.Observe = calls.unobserved) -> None:
        self.peer = stream.peer
        self._stream, self._observe = stream, observe
        self._place, self._read = _Place(), 0
        self._name, self._subscription = "", cast("Any", None)

    async def open(self) -> None:
        """Go on after the last message read. Raises CallError when the stream is away."""
        client = await self._stream.client()
        await self._drop()
        try:
            created = (await client.jsm(timeout=ASK_SECONDS).stream_info(storage.STREAM)).created
            if self._place.created != created:
                self._place = _Place(created)
            await self._subscribe(client)
        except nats.js.errors.NotFoundError as error:
            raise errors.NeverSent(self.peer, "error", "the stream is not there") from error
        except _GONE as error:
            raise self._lost(error) from error

    async def fetch(self) -> Batch:
        """What is there, else what comes within a second. Raises CallError when the consumer is lost: open again."""
        started = time.perf_counter()
        try:
            messages = await self._subscription.fetch(BATCH, timeout=FETCH_SECONDS)
        except TimeoutError:
            await self._require_consumer()
            return Batch()
        except _GONE as error:
            raise self._lost(error) from error
        self._observe(self.peer, "fetch", "ok", time.perf_counter() - started, None)
        return self._noted(messages) if messages else Batch()

    def _noted(self, messages: list[Any]) -> Batch:
        last = messages[-1].metadata
        self._read += len(messages)
        if last.sequence.consumer != self._read:
            raise errors.OutcomeUnknown(self.peer, "lost", "messages were lost on the way; reading again from the last one before them")
        self._place = _Place(self._place.created, last.sequence.stream)
        return Batch(messages, last.num_pending)

    async def _subscribe(self, client: Any) -> None:
        self._name = f"replay-{secrets.token_hex(8)}"
        config = js_api.ConsumerConfig(
            name=self._name, filter_subject=storage.STREAM_SUBJECTS, deliver_policy=js_api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=self._place.sequence + 1, ack_policy=js_api.AckPolicy.NONE, mem_storage=True, inactive_threshold=IDLE_SECONDS,
        )  # fmt: skip
        await client.jsm(timeout=ASK_SECONDS).add_consumer(storage.STREAM, config=config)
        self._subscription = await client.jetstream().pull_subscribe_bind(consumer=self._name, stream=storage.STREAM)
        self._read = 0

    async def _require_consumer(self) -> None:
        """A server that came back without the consumer answers fetches with silence for ever."""
        client = await self._stream.client()
        try:
            await client.jsm(timeout=ASK_SECONDS).consumer_info(storage.STREAM, self._name)
        except _GONE as error:
            raise self._lost(error) from error

    async def _drop(self) -> None:
        if self._subscription is not None:
            with contextlib.suppress(nats.errors.Error):
                await self._subscription.unsubscribe()

    def _lost(self, error: Exception) -> errors.CallError:
        return errors.OutcomeUnknown(self.peer, "lost", f"{type(error).__name__}: {error}")
