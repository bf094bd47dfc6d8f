"""A server that answers like a Prometheus of a small lab, with what a test wants it to say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from dashboards.console.lab import signals
from reference_app.contract import metrics

Labels = tuple[tuple[str, str], ...]
Value = Callable[[float], float | None]


def labels(name: str = "", **others: str) -> Labels:
    """Of a series, as a key."""
    return tuple((({"__name__": name} if name else {}) | others).items())


@dataclass
class Canned:
    """Expression -> series -> its value at a moment (None: no sample). `asked` are the range queries as (expression, start, end)."""

    series: dict[str, dict[Labels, Value]] = field(default_factory=dict)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    exemplars: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, float, float]] = field(default_factory=list)

    def answer(self, path: str, query: dict[str, str]) -> object:
        """The `data` of the API's answer."""
        chosen = self.series.get(query.get("query", ""), {})
        match path:
            case "/api/v1/query":
                return {"result": [{"metric": dict(key), "value": [1.0, str(value(1.0))]} for key, value in chosen.items()]}
            case "/api/v1/query_range":
                start, end = float(query["start"]), float(query["end"])
                self.asked.append((query["query"], start, end))
                return {"result": [{"metric": dict(key), "values": _values(value, start, end)} for key, value in chosen.items()]}
            case "/api/v1/query_exemplars":
                return self.exemplars
            case _:
                return {"alerts": self.alerts}

    @contextmanager
    def serve(self) -> Iterator[int]:
        """Its port, as long as it serves."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def lab(components: list[str], *, down: tuple[str, ...] = (), hung: tuple[str, ...] = ()) -> Canned:
    """All answer but some; 40 requests each second at every service, of which the gateway fails one in four."""
    state: dict[Labels, Value] = {}
    for name in components:
        state[labels(metrics.COMPONENT_UP.name, component=name)] = lambda _, up=name not in down + hung: float(up)
        state[labels(metrics.COMPONENT_HUNG.name, component=name)] = lambda _, hangs=name in hung: float(hangs)
    return Canned(
        series={
            signals.STATE: state,
            signals.REQUESTS: {
                labels(service="gateway", http_response_status_code="200"): lambda _: 30.0,
                labels(service="gateway", http_response_status_code="503"): lambda _: 10.0,
                labels(service="tweets", http_response_status_code="201"): lambda _: 40.0,
            },
            signals.LATENCY: {
                labels(service="gateway", quantile="0.5"): lambda _: 0.0123,
                labels(service="gateway", quantile="0.99"): lambda _: 1.234,
            },
            signals.CACHES: {labels(component="tweet-cache-0", what="hits"): lambda _: 90.0, labels(component="tweet-cache-0", what="misses"): lambda _: 10.0},
            signals.LEVELS: {
                labels(metrics.STREAM_PENDING.name, consumer="fanout"): lambda _: 1234.0,
                labels(metrics.PRESSURE.name, resource="cpu"): lambda _: 0.75,
            },
            signals.OUTCOMES: {labels(what="pages", result="complete"): lambda _: 60.0, labels(what="pages", result="partial"): lambda _: 20.0},
        }
    )  # fmt: skip


def _values(value: Value, start: float, end: float) -> list[list[Any]]:
    moments = [start + second for second in range(int(end - start) + 1)]
    return [[at, str(found)] for at in moments if (found := value(at)) is not None]


def _handler(canned: Canned) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            data = canned.answer(url.path, {name: values[0] for name, values in parse_qs(url.query).items()})
            body = msgspec.json.encode({"status": "success", "data": data})
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
