"""The client's end of an HTTP/1.1 connection: one request at a time, each with its time limit."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httptools
import msgspec


class Response(msgspec.Struct, frozen=True):
    """An answer, whatever its status."""

    status: int
    body: bytes

    def json(self, shape: type[Any] = dict) -> Any:
        """The body as `shape`; `bytes` leaves it as it is."""
        return self.body if shape is bytes else msgspec.json.decode(self.body, type=shape)


class Connection(asyncio.Protocol):
    """`closed` as soon as nothing can be sent any more: whatever fails, late answers included, closes it."""

    def __init__(self) -> None:
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Response] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._body = b""

    async def ask(self, message: bytes, limit: float) -> Response:
        """Send a request and wait for its answer. Raises TimeoutError after `limit` seconds, and ConnectionError."""
        self._body = b""
        self._waiter = self._loop.create_future()
        # a timer of its own takes 1 us, asyncio.timeout 4
        self._expiry = self._loop.call_later(limit, self._expire)
        cast("asyncio.Transport", self._transport).write(message)
        try:
            return await self._waiter
        except BaseException:
            self.close()
            raise
        finally:
            self._waiter = None
            self._expiry.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            self.close()  # nobody asked: who asks next would take it for the answer
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"malformed answer: {error}"))

    def on_body(self, body: bytes) -> None:
        self._body = self._body + body if self._body else body

    def on_message_complete(self) -> None:
        answered = self._waiter is None or self._waiter.done()
        if answered or not self._parser.should_keep_alive():
            self.close()
        if self._waiter is not None and not answered:
            self._waiter.set_result(Response(self._parser.get_status_code(), self._body))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(ConnectionError(str(exc or "closed by peer")))

    def close(self) -> None:
        """Nothing is asked any more; who still waits is told when the transport is gone."""
        self.closed = True
        if self._transport is not None:
            self._transport.close()

    def _expire(self) -> None:
        self._fail(TimeoutError())

    def _fail(self, error: Exception) -> None:
        self.close()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
