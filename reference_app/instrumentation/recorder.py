"""The signals of one process: its metrics, on a registry of its own, and notes of what ended, which become spans when their trace is kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import prometheus_client
from prometheus_client import openmetrics

from reference_app.contract import metrics
from reference_app.contract.profile import LAB, Profile
from reference_app.contract.spans import Reason
from reference_app.instrumentation.hindsight import Wanted
from reference_app.instrumentation.histogram import Histogram, Series
from reference_app.instrumentation.spans import CALL, CONSUME, PUBLISH, SERVER, STORE_CALL, Queue, Ring, Shape
from reference_app.kit import tracing
from reference_app.kit.breaker import Breaker, always
from reference_app.kit.retry_budget import RetryBudget
from reference_app.kit.tracing import TraceContext

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_ANSWERED = {"ok", "4xx", "duplicate"}
"""Outcomes that are an answer and no failure of the callee."""
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
        self._histograms = {metric.name: Histogram(metric, self._registry) for metric in exported if metric.type == "histogram"}
        self._metrics = {metric.name: _create(metric, self._registry) for metric in exported if metric.type != "histogram"}
        self._instruments: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._breakers: dict[tuple[str, str], Breaker] = {}
        self._budgets: dict[str, RetryBudget] = {}
        self._profile = profile
        self.queue = Queue(limit=queue, dropped=self._dropped if queue else _ignored)
        self.ring, self.edge_cases = Ring(size=ring), Wanted(self.count, profile=profile, monotonic=monotonic)
        self._noting = False
        self.hindsight(on=ring > 0)

    def hindsight(self, *, on: bool) -> None:
        """Whether what is not sampled is noted, and edge cases are looked for."""
        self._noting = self.edge_cases.enabled = on
        if not on:
            self.ring.clear()

    def http_server(
        self, method: str, route: str, status: int, seconds: float, *, span: tracing.Span, path: str = "", error: str = ""
    ) -> bool:
        """A request as the callee saw it; `error` is the code of an error answer. True when its trace is kept."""
        failure, reason = "", cast("Reason | None", None)
        if status >= 500:
            failure, reason = error or str(status), "shed" if error == _SHED else "failed"
        elif seconds > self._profile.slow_request:
            reason = "slow"
        own = span.context
        kept = self._ended(SERVER, own, own.span_id, span.parent_id, seconds, failure, reason, (method, route, status, path))
        self._series(metrics.HTTP_SERVER, (method, route, status)).observe(seconds, kept)
        return kept != ""

    def http_client(self, peer: str, route: str, outcome: str, seconds: float, span: tracing.Span | None) -> None:
        """A request as the caller saw it."""
        kept = self._called(CALL, span, seconds, outcome, (span.subject, route, peer, span.status)) if span is not None else ""
        self._series(metrics.HTTP_CLIENT, (peer, route, outcome)).observe(seconds, kept)

    def db_client(self, peer: str, operation: str, outcome: str, seconds: float, system: str) -> None:
        """A MariaDB or Redis call as the caller saw it."""
        context, kept = tracing.current.get(), ""
        if context is not None:
            failure, reason = _verdict(outcome)
            kept = self._ended(STORE_CALL, context, "", context.span_id, seconds, failure, reason, (operation, peer, system))
        self._series(metrics.DB_CLIENT, (peer, operation, outcome)).observe(seconds, kept)

    def stream_client(self, peer: str, operation: str, outcome: str, seconds: float, span: tracing.Span | None = None) -> None:
        """A publish, or a fetch, which is done for nobody in particular and has no span."""
        kept = self._called(PUBLISH, span, seconds, outcome, (operation, span.subject, peer, "nats")) if span is not None else ""
        self._series(metrics.STREAM_CLIENT, (peer, operation, outcome)).observe(seconds, kept)

    def consumed(self, peer: str, subject: str, outcome: str, seconds: float, span: tracing.Span, *, tweet_id: int) -> None:
        """An event of the stream was worked on; after an `outcome` other than ok it comes again."""
        if span.context.sampled:
            logger.info("event: %s", outcome, extra={"attributes": {"subject": subject, "duration_ms": round(seconds * 1000, 2)}})
        self._called(CONSUME, span, seconds, outcome, ("process", subject, peer, "nats", tweet_id))

    def observe(self, metric: metrics.Metric, seconds: float) -> None:
        """Add to a histogram of deliveries, for the current trace."""
        context, kept = tracing.current.get(), ""
        if context is not None and context.sampled:
            kept = context.trace_id
        elif context is not None and self._noting and seconds > self._profile.slow_delivery:
            kept = self.edge_cases.seen(context.trace_id, "slow", time.time_ns() - int(seconds * 1e9))
        self._series(metric, ()).observe(seconds, kept)

    def count(self, metric: metrics.Metric, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        if by:
            self._labelled(metric, labels).inc(by)

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
        """The registry as OpenMetrics text."""
        return bytes(openmetrics.exposition.generate_latest(self._registry))  # type: ignore[no-untyped-call]

    def _called(self, shape: Shape, span: tracing.Span, seconds: float, outcome: str, values: tuple[object, ...]) -> str:
        failure, reason = _verdict(outcome)
        return self._ended(shape, span.context, span.context.span_id, span.parent_id, seconds, failure, reason, values)

    def _ended(  # noqa: PLR0917 - by keyword it takes longer
        self,
        shape: Shape,
        context: TraceContext,
        span_id: str,
        parent_id: str,
        seconds: float,
        failure: str,
        reason: Reason | None,
        values: tuple[object, ...],
    ) -> str:
        """Note what has ended now; returns the trace id if the trace is kept, else nothing."""
        now_ns, kept = time.time_ns(), ""
        if context.sampled:
            kept = context.trace_id
            self.queue.append((shape, kept, span_id, parent_id, now_ns, seconds, failure, *values))
        elif self._noting:
            if reason is not None:
                kept = self.edge_cases.seen(context.trace_id, reason, now_ns - int(seconds * 1e9))
            self.ring.append((shape, context.trace_id, span_id, parent_id, now_ns, seconds, failure, *values))
        return kept

    def _dropped(self) -> None:
        self.count(metrics.SPANS_PROCESSED, "queue_full")

    def _series(self, metric: metrics.Metric, labels: tuple[object, ...]) -> Series:
        return self._histograms[metric.name].find(labels)

    def _labelled(self, metric: metrics.Metric, labels: tuple[str, ...]) -> Any:
        """Remembered, because prometheus_client takes 2 us to find one."""
        instrument = self._instruments.get((metric.name, labels))
        if instrument is None:
            unlabelled = self._metrics[metric.name]
            instrument = self._instruments[metric.name, labels] = unlabelled.labels(*labels) if metric.labels else unlabelled
        return instrument


def _verdict(outcome: str) -> tuple[str, Reason | None]:
    """error.type of a call's span, and why its trace is worth keeping."""
    return ("", None) if outcome in _ANSWERED else (outcome, "failed_call")


def _ignored() -> None:
    """Of a process that exports no spans."""


def _create(metric: metrics.Metric, registry: prometheus_client.CollectorRegistry) -> Any:
    kind = prometheus_client.Counter if metric.type == "counter" else prometheus_client.Gauge
    return kind(metric.name, metric.help, metric.labels, registry=registry)
