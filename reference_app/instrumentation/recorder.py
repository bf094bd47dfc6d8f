"""The signals of one process: its metrics, on a registry of its own, and the spans of what is sampled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import prometheus_client
from prometheus_client import openmetrics

from reference_app.contract import metrics, spans
from reference_app.instrumentation.spans import SpanQueue
from reference_app.kit import tracing
from reference_app.kit.breaker import Breaker, always
from reference_app.kit.retry_budget import RetryBudget

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_ANSWERED = {"ok", "4xx", "duplicate"}
"""Outcomes that are an answer and no failure of the callee."""


class Recorder:
    """Every metric that this kind of process exports, ready to be observed, and the spans for the exporter, if there is one."""

    def __init__(self, exported: Sequence[metrics.Metric] = metrics.SERVICE_METRICS, *, keep_spans: int = 0) -> None:
        self._registry = prometheus_client.CollectorRegistry()
        self._metrics = {metric.name: _create(metric, self._registry) for metric in exported}
        self._instruments: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._breakers: dict[str, Breaker] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self.spans = SpanQueue(limit=keep_spans, dropped=self._dropped if keep_spans else _ignored)

    def http_server(self, method: str, route: str, status: int, seconds: float, *, span: tracing.Span | None, error: str) -> None:
        """A request as the callee saw it; `error` is the code of an error answer."""
        self._labelled(metrics.HTTP_SERVER, (method, route, str(status))).observe(seconds, _exemplar(span))
        if span is not None:
            span.attributes.update({spans.METHOD: method, spans.ROUTE: route, spans.STATUS_CODE: status})
            self.spans.end(span, "SERVER", f"{method} {route}", seconds, (error or str(status)) if status >= 500 else "")

    def http_client(self, peer: str, route: str, outcome: str, seconds: float, span: tracing.Span | None) -> None:
        """A request as the caller saw it."""
        self._labelled(metrics.HTTP_CLIENT, (peer, route, outcome)).observe(seconds, _exemplar(span))
        if span is not None:
            span.attributes[spans.ROUTE] = route
            self._called(span, "CLIENT", f"{span.attributes[spans.METHOD]} {route}", peer=peer, outcome=outcome, seconds=seconds)

    def db_client(self, peer: str, operation: str, outcome: str, seconds: float, span: tracing.Span | None) -> None:
        """A MariaDB or Redis call as the caller saw it."""
        self._labelled(metrics.DB_CLIENT, (peer, operation, outcome)).observe(seconds, _exemplar(span))
        if span is not None:
            span.attributes[spans.DB_OPERATION] = operation
            self._called(span, "CLIENT", f"{operation} {peer}", peer=peer, outcome=outcome, seconds=seconds)

    def stream_client(self, peer: str, operation: str, outcome: str, seconds: float, span: tracing.Span | None = None) -> None:
        """A publish, or a fetch, which is done for nobody in particular and has no span."""
        self._labelled(metrics.STREAM_CLIENT, (peer, operation, outcome)).observe(seconds)
        if span is not None:
            self._messaging(span, "PRODUCER", operation, peer=peer, outcome=outcome, seconds=seconds)

    def consumed(self, peer: str, subject: str, outcome: str, seconds: float, span: tracing.Span | None) -> None:
        """An event of the stream was worked on; after an `outcome` other than ok it comes again."""
        if span is not None:
            logger.info("event: %s", outcome, extra={"attributes": {"subject": subject, "duration_ms": round(seconds * 1000, 2)}})
            span.attributes[spans.DESTINATION] = subject
            self._messaging(span, "CONSUMER", "process", peer=peer, outcome=outcome, seconds=seconds)

    def count(self, metric: metrics.Metric, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        if by:
            self._labelled(metric, labels).inc(by)

    def gauge(self, metric: metrics.Metric, value: float, *labels: str) -> None:
        """Set a gauge."""
        self._labelled(metric, labels).set(value)

    def observe(self, metric: metrics.Metric, seconds: float) -> None:
        """Add to a histogram without labels, for the current trace."""
        context = tracing.current.get()
        exemplar = {"trace_id": context.trace_id} if context is not None and context.sampled else None
        self._labelled(metric, ()).observe(seconds, exemplar)

    def watch(self, metric: metrics.Metric, read: Callable[[], float], *labels: str) -> None:
        """Have a gauge read when somebody asks for it."""
        self._labelled(metric, labels).set_function(read)

    def breaker(self, peer: str, *, enabled: Callable[[], bool] = always) -> Breaker:
        """The breaker of this process for calls to the component; its state is exported."""
        if peer not in self._breakers:
            told = lambda is_open: self.gauge(metrics.BREAKER_OPEN, float(is_open), peer)  # noqa: E731 - one line in its only place
            self._breakers[peer] = Breaker(enabled=enabled, on_change=told)
        return self._breakers[peer]

    def retry_budget(self, group: str) -> RetryBudget:
        """The one budget of this process for retries of calls to the group; its balance is exported."""
        if group not in self._budgets:
            budget = self._budgets[group] = RetryBudget()
            self.watch(metrics.RETRY_BUDGET, lambda: budget.balance, group)
        return self._budgets[group]

    def exposition(self) -> bytes:
        """The registry as OpenMetrics text."""
        return bytes(openmetrics.exposition.generate_latest(self._registry))  # type: ignore[no-untyped-call]

    def _dropped(self) -> None:
        self.count(metrics.SPANS_PROCESSED, "queue_full")

    def _messaging(self, span: tracing.Span, kind: spans.SpanKind, operation: str, *, peer: str, outcome: str, seconds: float) -> None:
        span.attributes.update({spans.MESSAGING_SYSTEM: "nats", spans.MESSAGING_OPERATION: operation})
        self._called(span, kind, f"{operation} {span.attributes[spans.DESTINATION]}", peer=peer, outcome=outcome, seconds=seconds)

    def _called(self, span: tracing.Span, kind: spans.SpanKind, name: str, *, peer: str, outcome: str, seconds: float) -> None:
        span.attributes[spans.PEER] = peer
        self.spans.end(span, kind, name, seconds, "" if outcome in _ANSWERED else outcome)

    def _labelled(self, metric: metrics.Metric, labels: tuple[str, ...]) -> Any:
        """Remembered, because prometheus_client takes 2 us to find one."""
        instrument = self._instruments.get((metric.name, labels))
        if instrument is None:
            unlabelled = self._metrics[metric.name]
            instrument = self._instruments[metric.name, labels] = unlabelled.labels(*labels) if metric.labels else unlabelled
        return instrument


def _ignored() -> None:
    """Of a process that exports no spans."""


def _exemplar(span: tracing.Span | None) -> dict[str, str] | None:
    return {"trace_id": span.context.trace_id} if span is not None else None


def _create(metric: metrics.Metric, registry: prometheus_client.CollectorRegistry) -> Any:
    if metric.type == "histogram":
        return prometheus_client.Histogram(metric.name, metric.help, metric.labels, registry=registry, buckets=metrics.LATENCY_BUCKETS)
    kind = prometheus_client.Counter if metric.type == "counter" else prometheus_client.Gauge
    return kind(metric.name, metric.help, metric.labels, registry=registry)
