"""A small service for the benchmark `telemetry`: one endpoint that makes a call or two to nobody. `python -m failwhale.bench.small_endpoint VARIANT PORT SINK`.

The same frame, server and endpoint in each variant; what differs is the telemetry around them: none, ours as a service behind the gateway has
it, ours as the gateway has it, OpenTelemetry's SDK at 100 % with spans by hand, and its ASGI auto-instrumentation. Spans go to a sink, another
process, so that exporting them is part of the cost.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import prometheus_client
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.propagate import extract
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Tracer
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_app.contract import api, metrics, spans
from reference_app.contract.topology import Component, Lab
from reference_app.instrumentation import exporter, logs, service
from reference_app.instrumentation.recorder import Recorder
from reference_app.instrumentation.routing import Router
from reference_app.kit import calls, deadline, lifecycle
from reference_app.kit.deciders import Deciders

NONE, BEHIND, ENTRY, SDK, AUTO, SINK = "none", "behind", "entry", "sdk", "auto", "sink"
PATH = "/things/{thing}"
STORES = (("tweet-cache-0", "MGET", "redis"), ("users-db-0", "profiles", "mariadb"))
"""(peer, operation, system) of the calls."""
CALLS = (1, 1, 2)
"""Calls of one request after the other: a warm home page makes four calls in three services."""
Call = Callable[[str, str, str], Awaitable[int]]
NOWHERE = Path("/nonexistent")
DEADLINE_MS = api.DEADLINE_MS.encode()


async def _answer() -> int:
    """A call to nobody."""
    return 1


def _routes(call: Call) -> list[Route]:
    numbers = itertools.cycle(CALLS)

    async def thing(_request: Request) -> Response:
        for peer, operation, system in STORES[: next(numbers)]:
            await call(peer, operation, system)
        return Response(b"{}", media_type="application/json")

    return [Route(PATH, thing)]


async def _unmeasured(_peer: str, _operation: str, _system: str) -> int:
    return await _answer()


def _bare(routes: list[Route]) -> ASGIApp:
    """What the frame does besides telemetry: it finds the endpoint, and sets the deadline that the caller sent."""
    router = Router(routes)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        remaining = dict(scope["headers"]).get(DEADLINE_MS)
        if remaining is not None and remaining.isdigit():
            deadline.start(int(remaining) / 1000 * (1 - deadline.WAY_BACK))
        endpoint, _ = router.find(scope)
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


@contextlib.contextmanager
def _plain(_sink: int) -> Iterator[ASGIApp]:
    yield _bare(_routes(_unmeasured))


@contextlib.contextmanager
def _ours(sink: int, *, entry: bool = False) -> Iterator[ASGIApp]:
    components = Component("small-0", "service", "small", 0, 0), Component("collector", "collector", "collector", 0, sink)
    lab = Lab(str(NOWHERE), "bench", 0, components, signing_key="", supervisor_password="")
    logs.configure("small-0")
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    with exporter.recording(lab, components[0], metrics.SERVICE_METRICS) as recorder:
        deciders = Deciders(NOWHERE / "deciders.json") if entry else None
        yield service.app(_routes(_measured(recorder)), recorder, entry=deciders)


def _measured(recorder: Recorder) -> Call:
    def call(peer: str, operation: str, system: str) -> Awaitable[int]:
        return calls.measured(recorder.db_client, peer, operation, _answer(), system)

    return call


class _ToSink(SpanExporter):
    """Posts OTLP as our exporter does."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)

    def export(self, spans_: Sequence[ReadableSpan]) -> SpanExportResult:
        self._connection.request("POST", spans.OTLP_TRACES, encode_spans(spans_).SerializeToString())
        self._connection.getresponse().read()
        return SpanExportResult.SUCCESS


def _provider(sink: int) -> TracerProvider:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(_ToSink(sink)))
    return provider


def _traced(tracer: Tracer) -> Call:
    async def call(peer: str, operation: str, system: str) -> int:
        attributes = {spans.PEER: peer, spans.DB_OPERATION: operation, spans.DB_SYSTEM: system}
        with tracer.start_as_current_span(f"{operation} {peer}", kind=SpanKind.CLIENT, attributes=attributes):
            return await _answer()

    return call


@contextlib.contextmanager
def _sdk(sink: int) -> Iterator[ASGIApp]:
    tracer = _provider(sink).get_tracer("small")
    inner = _bare(_routes(_traced(tracer)))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        with tracer.start_as_current_span(f"GET {PATH}", context=extract(headers), kind=SpanKind.SERVER) as span:
            await inner(scope, receive, send)
            span.set_attributes({spans.METHOD: "GET", spans.ROUTE: PATH, spans.PATH: scope["path"], spans.STATUS_CODE: 200})

    yield app


@contextlib.contextmanager
def _auto(sink: int) -> Iterator[ASGIApp]:
    # A development dependency: the benchmark is known, though it cannot run, without it.
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware  # noqa: PLC0415

    provider = _provider(sink)
    yield OpenTelemetryMiddleware(_bare(_routes(_traced(provider.get_tracer("small")))), tracer_provider=provider)


@contextlib.contextmanager
def _sink(_sink: int) -> Iterator[ASGIApp]:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    yield app


VARIANTS: dict[str, Callable[[int], AbstractContextManager[ASGIApp]]] = {
    NONE: _plain,
    BEHIND: _ours,
    ENTRY: lambda sink: _ours(sink, entry=True),
    SDK: _sdk,
    AUTO: _auto,
    SINK: _sink,
}


def main(variant: str, port: str, sink: str) -> None:
    """Serve until SIGTERM."""
    with VARIANTS[variant](int(sink)) as app:

        @asynccontextmanager
        async def build() -> AsyncIterator[Any]:
            yield app

        lifecycle.serve(build, int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
