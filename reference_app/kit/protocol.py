"""HTTP/1.1 on a connection, as uvicorn speaks it, except that what is no HTTP gets the same JSON error as everything else, and heads are bounded."""

from __future__ import annotations

import secrets

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reference_app.contract import api

HEAD_MAX = 32 * 1024
"""Bytes of request target and header fields together (nginx: 4 buffers of 8 KB)."""
_ANSWER = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n{request_id}: {identifier}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """Refuses by closing: after a malformed message nobody knows where the next one begins."""

    _head = -1
    """Bytes of the unfinished head that came after those with which it began; -1 between heads."""
    _begun = False

    def data_received(self, data: bytes) -> None:
        self._begun = False
        super().data_received(data)
        if self._head >= 0 and not self._begun:
            self._head += len(data)
            if self._head > HEAD_MAX and not self.transport.is_closing():
                self.send_400_response("")

    def on_message_begin(self) -> None:
        self._head, self._begun = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head = -1
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_MAX:
            raise ValueError("the head is too long")  # httptools turns it into an HttpParserError
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own words
        identifier = secrets.token_hex(16)
        message = f"this is not HTTP/1.1 as it is understood here, or its head is longer than {HEAD_MAX} bytes"
        body = msgspec.json.encode({"error": {"code": "bad_request", "message": message}, "request_id": identifier})
        head = _ANSWER.format(request_id=api.REQUEST_ID, identifier=identifier, length=len(body))
        self.transport.write(head.encode() + body)
        self.transport.close()
