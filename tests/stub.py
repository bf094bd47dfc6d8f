"""A server that answers everything in the same way, and an environment with a proxy that answers nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


def name_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """To whoever heeds the environment, everything is unreachable from now on."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def answering(body: bytes, *, promised: int | None = None, raw: bool = False) -> Iterator[int]:
    """Its port, as long as it serves. An answer of which more was promised is cut off; a raw one is the body alone."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not raw:
                self.send_response(200)
                self.send_header("Content-Length", str(len(body) if promised is None else promised))
                self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
