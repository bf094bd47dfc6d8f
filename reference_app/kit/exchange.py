"""One request and its answer as an ASGI app has them: the body as it comes, the answer in one write."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Protocol

BODY_AHEAD = 64 * 1024
"""Bytes of a body that are read before the app asks for them."""
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}".encode() for status in HTTPStatus}
_BODILESS = {204, 304}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_DISCONNECT = {"type": "http.disconnect"}


class Peer(Protocol):
    """The connection, as an exchange needs it."""

    def write(self, data: bytes) -> None: ...
    def hold(self, *, reading: bool) -> None: ...
    async def writable(self) -> None: ...
    def answered(self, exchange: Exchange) -> None: ...


class Exchange:
    """`over` when it was answered or the connection is gone; `keep_alive` says whether another may follow it."""

    __slots__ = ("_body", "_expects_continue", "_head", "_loop", "_news", "_peer", "_read", "_whole", "keep_alive", "over", "scope")

    def __init__(self, peer: Peer, scope: dict[str, Any], *, keep_alive: bool, expects_continue: bool) -> None:
        self.scope, self.keep_alive, self.over = scope, keep_alive, False
        self._peer, self._expects_continue = peer, expects_continue
        self._head: Any = None
        self._body, self._whole, self._read = b"", False, False
        self._news: asyncio.Future[None] | None = None

    def feed(self, data: bytes) -> None:
        """More of the body came."""
        if not self.over:
            self._body += data
            if len(self._body) > BODY_AHEAD:
                self._peer.hold(reading=True)
            self._tell()

    def end(self) -> None:
        """The body is whole."""
        self._whole = True
        self._tell()

    def lose(self) -> None:
        """The connection is gone."""
        self.over = True
        self._tell()

    async def receive(self) -> dict[str, Any]:
        """ASGI: the next piece of the body; after its last one the end of the exchange."""
        if self._expects_continue and not self.over:
            self._expects_continue = False
            self._peer.write(_CONTINUE)
        while not self.over and (self._read or not (self._body or self._whole)):
            self._news = asyncio.get_running_loop().create_future()
            await self._news
        if self.over:
            return _DISCONNECT
        body, self._body, self._read = self._body, b"", self._whole
        self._peer.hold(reading=False)
        return {"type": "http.request", "body": body, "more_body": not self._whole}

    async def send(self, message: Any) -> None:
        """ASGI: the head is kept until its body comes, which has to come whole."""
        if message["type"] == "http.response.start":
            self._head = message
            return
        if message.get("more_body"):
            raise ValueError("an answer has to be sent whole")
        await self._peer.writable()
        if not self.over:
            self._peer.write(self._encoded(message.get("body", b"")))
            self.over = True
            self._tell()
            self._peer.answered(self)

    def _encoded(self, body: bytes) -> bytes:
        status, named = self._head["status"], self._head["headers"]
        lines = [_STATUS_LINES[status], *(name + b": " + value for name, value in named)]
        if status not in _BODILESS and not any(name == b"content-length" for name, _ in named):
            lines.append(b"content-length: %d" % len(body))
        if not self.keep_alive:
            lines.append(b"connection: close")
        head = b"\r\n".join(lines)
        if head.count(b"\n") >= len(lines) or head.count(b"\r") >= len(lines):
            raise ValueError("a header of an answer has a line break in it")
        return head + b"\r\n\r\n" + (body if self.scope["method"] != "HEAD" else b"")

    def _tell(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
