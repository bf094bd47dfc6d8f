"""The signals of one process: its metrics, on a registry of its own, and notes of what ended, which become spans when their trace is kept."""

from __future__ import annotations

import logging
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

import prometheus_client
from prometheus_client import openmetrics

from reference_app.contract import metrics, spans
from reference_app.contract.profile import LAB, Profile
from reference_app.contract.spans import Reason
from reference_app.instrumentation.hindsight import Wanted
from reference_app.instrumentation.histogram import BUCKETS, Histogram, Series
from reference_app.instrumentation.spans import Kind, Queue, Ring
from reference_app.kit import tracing
from reference_app.kit.breaker import Breaker, always
from reference_app.kit.retry_budget import RetryBudget
from reference_app.kit.tracing import TraceContext

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_EOF = b"# EOF\n"
_ANSWERED = {"ok", "4xx", "duplicate"}
"""Outcomes that are an answer and no failure of the callee."""
_current, _now_ns = tracing.current.get, time.time_ns
_SHED = "overloaded"
"""Code of the answer to a request that was refused before any work was done."""


class Recorder:
    """Every metric that this kind of process exports, ready to be observed, and notes for the exporter, if there is one.

    Whatever ends is noted: that of a sampled trace in `queue`, everything else in `ring`, for as long as there is room, because an edge case may
    make it worth keeping. Their sizes are 0 in a process that exports no spans.
    """

    def __init__(
        self,
        exported: Sequence[metrics.Metric] = metrics.SERVICE_METRICS,
        *,
        queue: int = 0,
        ring: int = 0,
        profile: Profile = LAB,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = prometheus_client.CollectorRegistry()
        self._histograms = {metric.name: Histogram(metric) for metric in exported if metric.type == "histogram"}
        self._metrics = {metric.name: _create(metric, self._registry) for metric in exported if metric.type != "histogram"}
        self._instruments: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self._profile = profile
        self.queue = Queue(limit=queue, dropped=self._dropped if queue else _ignored)
        self.ring, self.edge_cases = Ring(size=ring), Wanted(self.count, profile=profile, monotonic=monotonic)
        self._kinds: dict[tuple[object, ...], Kind] = {}
        self._note, self._noting = self.ring.append, False
        self.hindsight(on=ring > 0)

    def hindsight(self, *, on: bool) -> None:
        """Whether what is not sampled is noted, and edge cases are looked for."""
        self._noting = self.edge_cases.enabled = on
        if not on:
            self.ring.clear()

    def http_server(
        self, method: str, route: str, status: int, seconds: float, *, context: TraceContext, path: str = "", error: str = ""
    ) -> bool:
        """A request as the callee saw it; `error` is the code of an error answer. True when its trace is kept."""
        kind = self._kinds.get((method, route, status)) or self._request(method, route, status)
        reason = kind.reason
        if reason is not None:
            reason = "shed" if error == _SHED else reason
            return self._ended(kind, context, seconds, reason, (path, error or str(status)))
        return self._ended(kind, context, seconds, "slow" if seconds > self._profile.slow_request else None, (path, ""))

    def http_client(self, peer: str, route: str, outcome: str, seconds: float, span: tracing.Span | None) -> None:
        """A request as the caller saw it."""
        method = span.subject if span is not None else ""
        kind = self._kinds.get((peer, route, outcome, method)) or self._call(peer, route, outcome, method)
        if span is None:
            kind.series.observe(seconds)
        else:
            self._ended(kind, span.context, seconds, kind.reason, (span.status,))

    def db_client(self, peer: str, operation: str, outcome: str, seconds: float, system: str) -> None:
        """A MariaDB or Redis call as the caller saw it."""
        kind = self._kinds.get((peer, operation, outcome, system)) or self._store_call(peer, operation, outcome, system)
        context = _current()
        if context is None:
            kind.series.observe(seconds)
        else:
            self._ended(kind, context, seconds, kind.reason, ())

    def stream_client(self, peer: str, operation: str, outcome: str, seconds: float, span: tracing.Span | None = None) -> None:
        """A publish, or a fetch, which is done for nobody in particular and has no span."""
        if span is None:
            self._series(metrics.STREAM_CLIENT, peer, operation, outcome).observe(seconds)
        else:
            kind = self._event("PRODUCER", operation, span.subject, peer=peer, outcome=outcome)
            self._ended(kind, span.context, seconds, kind.reason, ())

    def consumed(self, peer: str, subject: str, outcome: str, seconds: float, *, tweet_id: int) -> None:
        """The event that the task works for was worked on; after an `outcome` other than ok it comes again."""
        context = _current()
        if context is None:
            return
        if context.sampled:
            logger.info("event: %s", outcome, extra={"attributes": {"subject": subject, "duration_ms": round(seconds * 1000, 2)}})
        kind = self._event("CONSUMER", "process", subject, peer=peer, outcome=outcome)
        self._ended(kind, context, seconds, kind.reason, (tweet_id,))

    def observe(self, metric: metrics.Metric, seconds: float) -> None:
        """Add to a histogram of deliveries, for the current trace."""
        context, kept = _current(), ""
        if context is not None and context.sampled:
            kept = context.trace_id
        elif context is not None and self._noting and seconds > self._profile.slow_delivery:
            kept = self.edge_cases.seen(context.trace_id, "slow", time.time_ns() - int(seconds * 1e9))
        self._series(metric).observe(seconds, kept)

    def count(self, metric: metrics.Metric, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        if by:
            self._labelled(metric, labels).inc(by)

    def from_zero(self, metric: metrics.Metric, *labels: str) -> None:
        """Export a counter before anything is counted, so that the first one is an increase and a quiet process says 0."""
        self._labelled(metric, labels)

    def gauge(self, metric: metrics.Metric, value: float, *labels: str) -> None:
        """Set a gauge."""
        self._labelled(metric, labels).set(value)

    def watch(self, metric: metrics.Metric, read: Callable[[], float], *labels: str) -> None:
        """Have a gauge read when somebody asks for it."""
        self._labelled(metric, labels).set_function(read)

    def breaker(self, peer: str, calls: str = "all", *, enabled: Callable[[], bool] = always) -> Breaker:
        """The breaker of this process for calls of that kind to the component; its state is exported."""
        if (peer, calls) not in self._breakers:
            self._breakers[peer, calls] = Breaker(
                enabled=enabled, on_change=lambda is_open: self.gauge(metrics.BREAKER_OPEN, float(is_open), peer, calls)
            )
        return self._breakers[peer, calls]

    def retry_budget(self, group: str) -> RetryBudget:
        """The one budget of this process for retries of calls to the group; its balance is exported."""
        if group not in self._budgets:
            budget = self._budgets[group] = RetryBudget()
            self.watch(metrics.RETRY_BUDGET, lambda: budget.balance, group)
        return self._budgets[group]

    def exposition(self) -> bytes:
        """All metrics as OpenMetrics text."""
        others = bytes(openmetrics.exposition.generate_latest(self._registry))  # type: ignore[no-untyped-call]
        histograms = "".join(histogram.text() for histogram in self._histograms.values())
        return others.removesuffix(_EOF) + histograms.encode() + _EOF

    def _ended(self, kind: Kind, context: TraceContext, seconds: float, reason: Reason | None, own: tuple[object, ...]) -> bool:
        """Count what has ended now, and note it. True when its trace is kept."""
        now_ns, kept = _now_ns(), ""
        if context.sampled:
            kept = context.trace_id
            self.queue.append((kind, context, now_ns, seconds, *own))
        elif self._noting:
            if reason is not None:
                kept = self.edge_cases.seen(context.trace_id, reason, now_ns - int(seconds * 1e9))
            self._note((kind, context, now_ns, seconds, *own))
        series = kind.series
        if kept:
            series.observe(seconds, kept)
        else:  # what `observe` does, without calling it
            series.counts[bisect_left(BUCKETS, seconds)] += 1
            series.total += seconds
        return kept != ""

    def _request(self, method: str, route: str, status: int) -> Kind:
        series = self._series(metrics.HTTP_SERVER, method, route, str(status))
        attributes = {spans.METHOD: method, spans.ROUTE: route, spans.STATUS_CODE: status}
        return self._remember(
            (method, route, status),
            Kind(
                "SERVER",
                f"{method} {route}",
                attributes,
                series,
                (spans.PATH, spans.ERROR_TYPE),
                reason="failed" if status >= 500 else None,
            ),
        )

    def _call(self, peer: str, route: str, outcome: str, method: str) -> Kind:
        series = self._series(metrics.HTTP_CLIENT, peer, route, outcome)
        failure, reason = _verdict(outcome)
        attributes = {spans.METHOD: method, spans.ROUTE: route, spans.PEER: peer} | failure
        kind = Kind("CLIENT", f"{method} {route}", attributes, series, (spans.STATUS_CODE,), reason=reason)
        return self._remember((peer, route, outcome, method), kind)

    def _store_call(self, peer: str, operation: str, outcome: str, system: str) -> Kind:
        series = self._series(metrics.DB_CLIENT, peer, operation, outcome)
        failure, reason = _verdict(outcome)
        attributes = {spans.DB_SYSTEM: system, spans.DB_OPERATION: operation, spans.PEER: peer} | failure
        kind = Kind("CLIENT", f"{operation} {peer}", attributes, series, leaf=True, reason=reason)
        return self._remember((peer, operation, outcome, system), kind)

    def _event(self, span: spans.SpanKind, operation: str, subject: str, *, peer: str, outcome: str) -> Kind:
        key = (span, operation, subject, peer, outcome)
        if key in self._kinds:
            return self._kinds[key]
        produced = span == "PRODUCER"
        series = self._series(metrics.STREAM_CLIENT, peer, operation, outcome) if produced else Series()
        failure, reason = _verdict(outcome)
        attributes = {
            spans.MESSAGING_SYSTEM: "nats",
            spans.MESSAGING_OPERATION: operation,
            spans.DESTINATION: subject,
            spans.PEER: peer,
        } | failure
        own = () if produced else (spans.TWEET_ID,)
        return self._remember(key, Kind(span, f"{operation} {subject}", attributes, series, own, reason=reason))

    def _remember(self, key: tuple[object, ...], kind: Kind) -> Kind:
        self._kinds[key] = kind
        return kind

    def _dropped(self) -> None:
        self.count(metrics.SPANS_PROCESSED, "queue_full")

    def _series(self, metric: metrics.Metric, *labels: str) -> Series:
        return self._histograms[metric.name].find(labels)

    def _labelled(self, metric: metrics.Metric, labels: tuple[str, ...]) -> Any:
        """Remembered, because prometheus_client takes 2 us to find one."""
        instrument = self._instruments.get((metric.name, labels))
        if instrument is None:
            unlabelled = self._metrics[metric.name]
            instrument = self._instruments[metric.name, labels] = unlabelled.labels(*labels) if metric.labels else unlabelled
        return instrument


def _verdict(outcome: str) -> tuple[dict[str, str], Reason | None]:
    """The attribute of a call's span that says how it failed, and why its trace is worth keeping."""
    return ({}, None) if outcome in _ANSWERED else ({spans.ERROR_TYPE: outcome}, "failed_call")


def _ignored() -> None:
    """Of a process that exports no spans."""


def _create(metric: metrics.Metric, registry: prometheus_client.CollectorRegistry) -> Any:
    kind = prometheus_client.Counter if metric.type == "counter" else prometheus_client.Gauge
    return kind(metric.name, metric.help, metric.labels, registry=registry)
