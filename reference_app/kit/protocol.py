"""HTTP/1.1 for ASGI apps on httptools, at a third of the CPU time of uvicorn's own: for uvicorn.Server, which keeps loop, socket and signals (docs/adr/0014).

What is no HTTP gets the same JSON error as everything else, and heads are bounded. Requests of a connection are answered one after the
other, each in one write. There are no upgrades, no answers in pieces, and no end to an idle connection: callers pool them.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import urllib.parse
from collections import deque
from typing import Any, cast

import httptools
import msgspec
import uvicorn
from uvicorn.server import ServerState

from reference_app.contract import api
from reference_app.kit.exchange import Exchange

logger = logging.getLogger(__name__)
HEAD_MAX = 32 * 1024
"""Bytes of request target and header fields together (nginx: 4 buffers of 8 KB)."""
_REFUSAL = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n{request_id}: {identifier}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"


class HttpProtocol(asyncio.Protocol):
    """A connection. Refuses by closing: after a malformed message nobody knows where the next one begins."""

    def __init__(self, config: uvicorn.Config, server_state: ServerState, **_of_uvicorn: Any) -> None:
        self._app, self._server = config.loaded_app, server_state
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._expects_continue = False
        self._coming: Exchange | None = None
        """Whose body is being read."""
        self._current: Exchange | None = None
        self._waiting: deque[Exchange] = deque()
        self._head = -1
        """Bytes of the unfinished head that came after those with which it began; -1 between heads."""
        self._begun = self._held = False
        self._blocked: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._server.connections.add(cast("Any", self))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        self._server.connections.discard(cast("Any", self))
        self._abandon()
        self.resume_writing()

    def shutdown(self) -> None:
        """Called by uvicorn's server when it ends."""
        if self._current is None:
            self._transport.close()
        else:
            self._current.keep_alive = False

    def data_received(self, data: bytes) -> None:
        self._begun = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._last()
        except httptools.HttpParserError:
            self._refuse()
        if self._head >= 0 and not self._begun:
            self._head += len(data)
            if self._head > HEAD_MAX:
                self._refuse()

    def on_message_begin(self) -> None:
        self._head, self._begun = 0, True
        self._url, self._headers, self._expects_continue = b"", [], False  # a new list: the exchange keeps it

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self._expects_continue = True
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._head = -1
        if len(self._url) + sum(len(name) + len(value) for name, value in self._headers) > HEAD_MAX:
            raise ValueError("the head is too long")  # httptools turns it into an HttpParserError
        version = self._parser.get_http_version()
        keep_alive = version != "1.0" and self._parser.should_keep_alive()
        self._coming = Exchange(self, self._scope(version), keep_alive=keep_alive, expects_continue=self._expects_continue)
        if self._current is None:
            self._begin(self._coming)
        else:
            self._waiting.append(self._coming)
            self.hold(reading=True)

    def on_body(self, body: bytes) -> None:
        if self._coming is not None:
            self._coming.feed(body)

    def on_message_complete(self) -> None:
        if self._coming is not None:
            self._coming.end()

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def hold(self, *, reading: bool) -> None:
        """Stop reading, or go on unless requests wait."""
        if reading and not self._held:
            self._held = True
            self._transport.pause_reading()
        elif not reading and self._held and not self._waiting:
            self._held = False
            self._transport.resume_reading()

    async def writable(self) -> None:
        """Wait while the client takes nothing."""
        if self._blocked is not None:
            await self._blocked

    def answered(self, exchange: Exchange) -> None:
        self._server.total_requests += 1
        self._current = None
        if not exchange.keep_alive:
            self._abandon()
            self._transport.close()
        elif self._waiting:
            self._begin(self._waiting.popleft())
        else:
            self.hold(reading=False)

    def pause_writing(self) -> None:
        self._blocked = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._blocked is not None:
            self._blocked.set_result(None)
            self._blocked = None

    def _scope(self, version: str) -> dict[str, Any]:
        target = httptools.parse_url(self._url)
        path = target.path.decode("ascii")
        return {
            "type": "http", "http_version": version, "method": self._parser.get_method().decode("ascii"), "scheme": "http", "root_path": "",
            "path": urllib.parse.unquote(path) if "%" in path else path, "raw_path": target.path, "query_string": target.query or b"",
            "headers": self._headers,
        }  # fmt: skip

    def _begin(self, exchange: Exchange) -> None:
        self._current = exchange
        task = self._loop.create_task(self._run(exchange))
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)

    async def _run(self, exchange: Exchange) -> None:
        try:
            await self._app(exchange.scope, exchange.receive, exchange.send)
        except Exception:
            logger.exception("%s %s failed outside of what answers errors", exchange.scope["method"], exchange.scope["path"])
        if not exchange.over:
            self._transport.close()

    def _last(self) -> None:
        """Whoever wants another protocol is answered in this one, and no more."""
        if self._coming is not None:
            self._coming.keep_alive = False

    def _refuse(self) -> None:
        if self._transport.is_closing():
            return
        identifier = secrets.token_hex(16)
        message = f"this is not HTTP/1.1 as it is understood here, or its head is longer than {HEAD_MAX} bytes"
        body = msgspec.json.encode({"error": {"code": "bad_request", "message": message}, "request_id": identifier})
        head = _REFUSAL.format(request_id=api.REQUEST_ID, identifier=identifier, length=len(body))
        self._abandon()
        self._transport.write(head.encode() + body)
        self._transport.close()

    def _abandon(self) -> None:
        """Nobody waits for what is under way."""
        for exchange in (self._current, *self._waiting):
            if exchange is not None:
                exchange.lose()
        self._waiting.clear()
