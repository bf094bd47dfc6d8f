"""Exports spans to the lab's collector from a thread of its own: OTLP/HTTP, one attempt per batch, every loss counted, nobody waits.

They are made here, of the notes that were queued, and of those in the ring that turned out to be worth keeping.
"""

from __future__ import annotations

import contextlib
import http.client
import select
import threading
from collections.abc import Iterator, Sequence

from google.protobuf.message import DecodeError
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace.status import Status, StatusCode

from reference_app.contract import metrics, spans
from reference_app.contract.topology import Component, Lab
from reference_app.instrumentation.hindsight import Retrospect
from reference_app.instrumentation.recorder import Recorder
from reference_app.instrumentation.spans import BATCH, QUEUE, RING, Ended, ended

FLUSH_SECONDS, TIMEOUT_SECONDS, SHUTDOWN_SECONDS = 0.5, 1.0, 0.5
_HEADERS = {"content-type": "application/x-protobuf"}


class Exporter:
    """Sends what has ended every 0.5 s, or when a batch is full. What the collector does not take within 1 s is gone."""

    def __init__(self, recorder: Recorder, *, component: Component, port: int) -> None:
        self._recorder, self._queue = recorder, recorder.queue
        for reason in ("timeout", "refused", "rejected"):
            recorder.from_zero(metrics.SPANS_EXPORTED, reason)
        self._retrospect = Retrospect(recorder.ring, recorder.edge_cases, count=recorder.count, gauge=recorder.gauge)
        self._resource = Resource({spans.SERVICE_NAME: component.group, spans.SERVICE_INSTANCE: component.name})
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="span-exporter", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Sends what is left, for at most 0.5 s."""
        self._closing.set()
        self._queue.filled.set()
        self._thread.join(SHUTDOWN_SECONDS)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._queue.filled.wait(FLUSH_SECONDS)
            self._queue.filled.clear()
            self._export_all()
        self._connection.close()

    def _export_all(self) -> None:
        while batch := self._queue.batch():
            self._export([ended(note) for note in batch])
        wanted = [ended(note, reason) for note, reason in self._retrospect.due()]
        for first in range(0, len(wanted), BATCH):
            self._export(wanted[first : first + BATCH])

    def _export(self, batch: Sequence[Ended]) -> None:
        self._recorder.count(metrics.SPANS_PROCESSED, "", by=len(batch))
        try:
            rejected = self._post(encode_spans([_readable(span, self._resource) for span in batch]).SerializeToString())
        except TimeoutError:
            self._failed("timeout", len(batch))
        except (OSError, http.client.HTTPException):
            self._failed("refused", len(batch))
        else:
            rejected = len(batch) if rejected is None else rejected
            self._recorder.count(metrics.SPANS_EXPORTED, "rejected", by=rejected)
            self._recorder.count(metrics.SPANS_EXPORTED, "", by=len(batch) - rejected)

    def _post(self, body: bytes) -> int | None:
        """The number of spans that the collector refused, None when it refused them all."""
        self._drop_dead_connection()
        self._connection.request("POST", spans.OTLP_TRACES, body, _HEADERS)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            return None
        try:
            return int(ExportTraceServiceResponse.FromString(answer).partial_success.rejected_spans)
        except DecodeError:
            return None

    def _drop_dead_connection(self) -> None:
        """The socket of a collector that went away meanwhile is readable; it would cost the batch."""
        if self._connection.sock is not None and select.select([self._connection.sock], [], [], 0)[0]:
            self._connection.close()

    def _failed(self, reason: str, count: int) -> None:
        self._connection.close()
        self._recorder.count(metrics.SPANS_EXPORTED, reason, by=count)


@contextlib.contextmanager
def recording(lab: Lab, component: Component, exported: Sequence[metrics.Metric]) -> Iterator[Recorder]:
    """The recorder of a process. A service's spans go to the lab's collector as long as this is open, if the lab has one."""
    collectors = lab.kind("collector")
    if component.kind != "service" or not collectors:
        yield Recorder(exported)
        return
    recorder = Recorder(exported, queue=QUEUE, ring=RING)
    exporter = Exporter(recorder, component=component, port=collectors[0].port)
    exporter.start()
    try:
        yield recorder
    finally:
        exporter.close()


def _readable(span: Ended, resource: Resource) -> ReadableSpan:
    return ReadableSpan(
        span.name,
        context=_context(span.trace_id, span.span_id),
        parent=_context(span.trace_id, span.parent_id) if span.parent_id else None,
        resource=resource,
        attributes=span.attributes,
        kind=trace.SpanKind[span.kind],
        status=Status(StatusCode.ERROR if span.error else StatusCode.UNSET),
        start_time=span.start_ns,
        end_time=span.end_ns,
    )


def _context(trace_id: str, span_id: str) -> trace.SpanContext:
    return trace.SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED))
