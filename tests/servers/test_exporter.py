"""The exporter against real collectors of all tempers: good, refusing, broken, hung, gone."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from reference_app.contract import metrics, spans
from reference_app.contract.topology import Component, Lab
from reference_app.instrumentation import exporter
from reference_app.instrumentation.exporter import TIMEOUT_SECONDS, Exporter
from reference_app.instrumentation.recorder import Recorder
from reference_app.instrumentation.spans import BATCH, QUEUE
from reference_app.kit import tracing

TWEETS = Component("tweets-0", "service", "tweets", 0, 0)
TRACE_ID, SPAN_ID, PARENT_ID = "ab" * 16, "cd" * 8, "ef" * 8
HUNG_FOR_MOST_US = 150
"""Microseconds that one span may cost its request, whatever the collector does; it is about 5."""


class Collector:
    """Answers every request alike and keeps what it got."""

    def __init__(self, port: int = 0, *, status: int = 200, rejects: int = 0) -> None:
        self.received: list[ExportTraceServiceRequest] = []
        self._answer = status, ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=rejects))
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 0.2

            def do_POST(self) -> None:
                assert (self.path, self.headers["content-type"]) == (spans.OTLP_TRACES, "application/x-protobuf")
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.received.append(ExportTraceServiceRequest.FromString(body))
                status, answer = collector._answer
                self.send_response(status)
                self.send_header("content-length", str(len(answer.SerializeToString())))
                self.end_headers()
                self.wfile.write(answer.SerializeToString())

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@contextlib.contextmanager
def exporting(port: int) -> Iterator[Recorder]:
    recorder = Recorder(queue=QUEUE, ring=QUEUE)
    running = Exporter(recorder, component=TWEETS, port=port)
    running.start()
    try:
        yield recorder
    finally:
        running.close()


@pytest.fixture
def collecting() -> Iterator[Callable[..., Collector]]:
    with contextlib.ExitStack() as stack:

        def start(**options: int) -> Collector:
            collector = Collector(**options)
            stack.callback(collector.close)
            return collector

        yield start


def call(recorder: Recorder, outcome: str = "ok") -> None:
    span = tracing.Span(
        tracing.TraceContext(TRACE_ID, SPAN_ID, sampled=True, parent_id=PARENT_ID), "GET", 0 if outcome == "timeout" else 200
    )
    recorder.http_client("graph-0", "/internal/graph", outcome, 0.001, span)


def exported(recorder: Recorder, error_type: str) -> float:
    return _value(recorder, metrics.SPANS_EXPORTED, error_type)


def processed(recorder: Recorder, error_type: str) -> float:
    return _value(recorder, metrics.SPANS_PROCESSED, error_type)


def _value(recorder: Recorder, metric: metrics.Metric, error_type: str) -> float:
    line = f'{metric.name}{{error_type="{error_type}"}} '
    return next((float(text.removeprefix(line)) for text in recorder.exposition().decode().splitlines() if text.startswith(line)), 0)


def eventually(question: Callable[[], bool], limit_s: float = 5) -> None:
    deadline = time.monotonic() + limit_s
    while not question():
        assert time.monotonic() < deadline, f"not within {limit_s} s"
        time.sleep(0.01)


def test_what_ended_arrives_as_otlp_with_its_ids_its_times_and_its_resource(collecting: Callable[..., Collector]) -> None:
    collector = collecting()
    with exporting(collector.port) as recorder:
        call(recorder)
        call(recorder, "timeout")
    assert (exported(recorder, ""), processed(recorder, "")) == (2, 2)
    (resource_spans,) = collector.received[0].resource_spans
    resource = {attribute.key: attribute.value.string_value for attribute in resource_spans.resource.attributes}
    assert resource == {spans.SERVICE_NAME: "tweets", spans.SERVICE_INSTANCE: "tweets-0"}
    good, failed = resource_spans.scope_spans[0].spans
    assert (good.trace_id.hex(), good.span_id.hex(), good.parent_span_id.hex()) == (TRACE_ID, SPAN_ID, PARENT_ID)
    assert (good.name, good.kind) == ("GET /internal/graph", Span.SPAN_KIND_CLIENT)
    assert good.end_time_unix_nano - good.start_time_unix_nano == 1_000_000
    assert (good.status.code, failed.status.code) == (Status.STATUS_CODE_UNSET, Status.STATUS_CODE_ERROR)
    assert {a.key: a.value.string_value for a in failed.attributes} == {
        spans.METHOD: "GET", spans.ROUTE: "/internal/graph", spans.PEER: "graph-0", spans.ERROR_TYPE: "timeout",
    }  # fmt: skip


def test_closing_sends_what_is_left(collecting: Callable[..., Collector]) -> None:
    with exporting(collecting().port) as recorder:
        for _ in range(3 * BATCH + 1):
            call(recorder)
    assert exported(recorder, "") == 3 * BATCH + 1


def test_spans_that_the_collector_rejects_are_counted_as_rejected(collecting: Callable[..., Collector]) -> None:
    with exporting(collecting(rejects=1).port) as recorder:
        call(recorder)
        call(recorder)
    assert (exported(recorder, ""), exported(recorder, "rejected")) == (1, 1)


def test_a_collector_that_fails_gets_each_batch_once(collecting: Callable[..., Collector]) -> None:
    collector = collecting(status=500)
    with exporting(collector.port) as recorder:
        call(recorder)
    assert (exported(recorder, ""), exported(recorder, "rejected"), len(collector.received)) == (0, 1, 1)


def test_a_collector_that_is_not_there_costs_nothing_but_the_spans(free_port: Callable[[], int]) -> None:
    with exporting(free_port()) as recorder:
        call(recorder)
    assert (exported(recorder, "refused"), exported(recorder, "")) == (1, 0)


def test_a_hung_collector_slows_no_request_and_what_it_costs_is_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hung, exporting(hung.getsockname()[1]) as recorder:
        started = time.perf_counter()
        for _ in range(2 * QUEUE):
            call(recorder)
        microseconds = (time.perf_counter() - started) * 1e6 / (2 * QUEUE)
        eventually(lambda: exported(recorder, "timeout") > 0, TIMEOUT_SECONDS + 4)
        dropped = processed(recorder, "queue_full")
        closing = time.perf_counter()
    assert time.perf_counter() - closing < 2 * exporter.SHUTDOWN_SECONDS
    assert microseconds < HUNG_FOR_MOST_US
    assert QUEUE - 2 * BATCH <= dropped <= QUEUE
    assert exported(recorder, "") == 0


def test_a_collector_that_comes_back_gets_the_next_span(collecting: Callable[..., Collector], free_port: Callable[[], int]) -> None:
    port = free_port()
    first = Collector(port)
    with exporting(port) as recorder:
        call(recorder)
        eventually(lambda: exported(recorder, "") == 1)
        first.close()
        time.sleep(0.3)  # its connections are closed by then, as a killed process's are at once
        collecting(port=port)
        call(recorder)
        eventually(lambda: exported(recorder, "") == 2)
    assert exported(recorder, "refused") == 0


def test_a_lab_without_a_collector_has_no_exporter() -> None:
    lab = Lab("/nowhere", "test", 0, (TWEETS,), signing_key="", supervisor_password="")
    with exporter.recording(lab, TWEETS, metrics.SERVICE_METRICS) as recorder:
        assert "span-exporter" not in {thread.name for thread in threading.enumerate()}
        call(recorder)
    assert recorder.queue.batch() == []
