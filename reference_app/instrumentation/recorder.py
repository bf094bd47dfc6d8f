"""The metrics of one process, on a registry of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import prometheus_client
from prometheus_client import openmetrics

from reference_app.contract import metrics
from reference_app.kit.breaker import Breaker

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Recorder:
    """Every metric that this kind of process exports, by default a service, ready to be observed."""

    def __init__(self, exported: Sequence[metrics.Metric] = metrics.SERVICE_METRICS) -> None:
        self._registry = prometheus_client.CollectorRegistry()
        self._metrics = {metric.name: _create(metric, self._registry) for metric in exported}

    def http_server(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request as the callee saw it."""
        self._labelled(metrics.HTTP_SERVER, (method, route, str(status))).observe(seconds)

    def http_client(self, peer: str, route: str, outcome: str, seconds: float) -> None:
        """A request as the caller saw it."""
        self._labelled(metrics.HTTP_CLIENT, (peer, route, outcome)).observe(seconds)

    def db_client(self, peer: str, operation: str, outcome: str, seconds: float) -> None:
        """A MariaDB or Redis call as the caller saw it."""
        self._labelled(metrics.DB_CLIENT, (peer, operation, outcome)).observe(seconds)

    def stream_client(self, peer: str, operation: str, outcome: str, seconds: float) -> None:
        """A publish or fetch."""
        self._labelled(metrics.STREAM_CLIENT, (peer, operation, outcome)).observe(seconds)

    def count(self, metric: metrics.Metric, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        if by:
            self._labelled(metric, labels).inc(by)

    def gauge(self, metric: metrics.Metric, value: float, *labels: str) -> None:
        """Set a gauge."""
        self._labelled(metric, labels).set(value)

    def observe(self, metric: metrics.Metric, seconds: float) -> None:
        """Add to a histogram without labels."""
        self._labelled(metric, ()).observe(seconds)

    def breaker(self, peer: str) -> Breaker:
        """A breaker for calls to the component whose state is exported."""
        return Breaker(on_change=lambda is_open: self.gauge(metrics.BREAKER_OPEN, float(is_open), peer))

    def exposition(self) -> bytes:
        """The registry as OpenMetrics text."""
        return bytes(openmetrics.exposition.generate_latest(self._registry))  # type: ignore[no-untyped-call]

    def _labelled(self, metric: metrics.Metric, labels: Sequence[str]) -> Any:
        instrument = self._metrics[metric.name]
        return instrument.labels(*labels) if metric.labels else instrument


def _create(metric: metrics.Metric, registry: prometheus_client.CollectorRegistry) -> Any:
    if metric.type == "histogram":
        return prometheus_client.Histogram(metric.name, metric.help, metric.labels, registry=registry, buckets=metrics.LATENCY_BUCKETS)
    kind = prometheus_client.Counter if metric.type == "counter" else prometheus_client.Gauge
    return kind(metric.name, metric.help, metric.labels, registry=registry)
