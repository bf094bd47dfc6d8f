"""A target whose behaviour is known exactly, to test the measuring instrument: `python target.py PORT`.

It answers at once, so any latency that is measured comes from outside of it (it is paused by a signal). It refuses the first
attempt of every fourth post, and loses the answer of the first attempt of every fourth after that. `GET /seen` tells what came.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOCK = threading.Lock()
SEEN: list[dict[str, str]] = []
PAGE = {"tweets": [{"id": str(i), "user_id": "1"} for i in range(20)], "next_cursor": None, "partial": False, "missing": {}}


class Target(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/seen":
            self.answer(200, SEEN)
            return
        self.note("")
        self.answer(200, PAGE)

    def do_POST(self) -> None:
        key = self.headers["idempotency-key"]
        text = json.loads(self.rfile.read(int(self.headers["content-length"])))["text"]
        first = self.note(key, text) == 1
        kind = int(key.rpartition("-")[2]) % 4
        if first and kind == 1:
            self.answer(503, {"error": {"code": "unavailable", "message": "m"}, "request_id": "r"}, {"retry-after": "1"})
        elif first and kind == 2:
            self.close_connection = True
        else:
            self.answer(201, {"id": str(abs(hash(key))), "user_id": "1", "text": text, "created_at": 0})

    def note(self, key: str, text: str = "") -> int:
        """How often this key came, with this time."""
        with LOCK:
            SEEN.append({"path": self.path, "key": key, "text": text, "authorization": self.headers["authorization"]})
            return sum(1 for entry in SEEN if entry["key"] == key) if key else 0

    def answer(self, status: int, content: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Target).serve_forever()
