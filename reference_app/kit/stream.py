"""The event stream: NATS JetStream on file storage, with fast reconnects and a stream that is made again when it comes back empty."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import api as js_api

from reference_app.contract import api, storage
from reference_app.contract.profile import LAB, Profile
from reference_app.contract.topology import Component
from reference_app.kit import calls, errors, tracing

logger = logging.getLogger(__name__)
PUBLISH_SECONDS = 0.5
_GONE = (nats.errors.Error, nats.js.errors.Error, OSError, TimeoutError)


class Stream:
    """A connection to the stream, shared by the tasks of a process."""

    def __init__(self, component: Component, *, profile: Profile = LAB, observe: calls.Observe = calls.unobserved) -> None:
        self.peer = component.name
        self._url, self._profile, self._observe = f"nats://127.0.0.1:{component.port}", profile, observe
        self._client, self._opening = Client(), asyncio.Lock()
        self._lacked = False

    async def open(self) -> bool:
        """Connect and make the streams if they are not there; True when they had to be made: what was in them is gone.

        Raises NeverSent or OutcomeUnknown when the server is away.
        """
        async with self._opening:
            await self._connected()
            return await self._made()

    async def client(self) -> Client:
        """The connection, opened if it was not. Raises NeverSent when the server is away."""
        async with self._opening:
            await self._connected()
            return self._client

    async def _connected(self) -> None:
        if self._client.is_closed or not (self._client.is_connected or self._client.is_reconnecting):
            await self._connect()

    async def _connect(self) -> None:
        try:
            await self._client.connect(
                self._url,
                reconnect_time_wait=cast("int", self._profile.stream_reconnect),  # annotated int, but only slept on
                max_reconnect_attempts=-1,
                connect_timeout=1,
                allow_reconnect=True,
                error_cb=_quiet,
            )
        except _GONE as error:
            raise errors.NeverSent(self.peer, "refused", str(error)) from error

    async def _made(self) -> bool:
        """True also when an attempt before this one had to make them and did not come to its end."""
        try:
            await self._make()
        except _GONE as error:
            raise errors.OutcomeUnknown(self.peer, "timeout", str(error)) from error
        lacked, self._lacked = self._lacked, False
        return lacked

    async def _make(self) -> None:
        """The stream last: once it is there, nothing is made any more."""
        manager = self._client.jsm()
        try:
            await manager.stream_info(storage.STREAM)
        except nats.js.errors.NotFoundError:
            self._lacked = True
            await manager.add_stream(_config(storage.DEAD_LETTER_STREAM, storage.DEAD_LETTER_SUBJECT))
            await manager.add_stream(_config(storage.STREAM, storage.STREAM_SUBJECTS))

    async def publish(self, subject: str, payload: bytes, *, message_id: str) -> None:
        """Publish under the current trace and wait for the acknowledgement; the same id within 2 minutes is stored once."""
        span = tracing.begin(subject)
        headers = {js_api.Header.MSG_ID.value: message_id, api.TRACEPARENT: tracing.traceparent(span)}
        await calls.measured(self._observe, self.peer, "publish", self._publish(subject, payload, headers), span)

    async def _publish(self, subject: str, payload: bytes, headers: dict[str, str]) -> None:
        try:
            async with asyncio.timeout(PUBLISH_SECONDS):
                await self._client.jetstream().publish(subject, payload, headers=headers)
        except nats.js.errors.NoStreamResponseError as error:
            raise errors.NeverSent(self.peer, "error", "the stream is not there") from error
        except _GONE as error:
            raise errors.OutcomeUnknown(self.peer, "timeout", f"{type(error).__name__}: {error}") from error

    async def subscription(self, durable: str) -> Any:
        """A pull subscription of the durable consumer. Raises CallError, also when the stream is not there."""
        config = js_api.ConsumerConfig(ack_wait=self._profile.stream_ack_wait, max_ack_pending=10_000)
        try:
            return await self._client.jetstream().pull_subscribe(storage.SUBJECT_POSTED, durable, stream=storage.STREAM, config=config)
        except nats.js.errors.NotFoundError as error:
            raise errors.NeverSent(self.peer, "error", "the stream is not there") from error
        except _GONE as error:
            raise errors.OutcomeUnknown(self.peer, "timeout", f"{type(error).__name__}: {error}") from error

    async def require_consumer(self, durable: str) -> None:
        """Raises CallError when the consumer is gone: a server that came back empty answers fetches with silence for ever."""
        try:
            await self._client.jsm().consumer_info(storage.STREAM, durable)
        except nats.js.errors.NotFoundError as error:
            raise errors.NeverSent(self.peer, "error", f"the consumer {durable} is not there") from error
        except _GONE as error:
            raise errors.OutcomeUnknown(self.peer, "timeout", f"{type(error).__name__}: {error}") from error

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


def _config(name: str, subject: str) -> js_api.StreamConfig:
    return js_api.StreamConfig(name=name, subjects=[subject], storage=js_api.StorageType.FILE, max_age=3600)


def enter(message: Any) -> None:
    """Work for the trace that a message carries, from here on."""
    tracing.enter(tracing.parse((message.headers or {}).get(api.TRACEPARENT, "")))


async def _quiet(error: Exception) -> None:
    logger.info("stream connection: %s", error or type(error).__name__)
