"""The generator's own metrics, for Prometheus to scrape while a load runs: what was sent, what came back, how late it left."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import prometheus_client

from loadgen.history import Op, Reaction, Result
from reference_app.contract import metrics
from reference_app.contract.metrics import LATENCY_BUCKETS, Metric

HOST = "127.0.0.1"
log = logging.getLogger("loadgen")


class Exporter:
    """Metrics of one process, on a registry of their own."""

    def __init__(self, outstanding: Callable[[], float]) -> None:
        self.registry = prometheus_client.CollectorRegistry()
        self._requests, self._reactions, self._dropped = (
            prometheus_client.Counter(*_named(metric), registry=self.registry)
            for metric in (metrics.LOAD_REQUESTS, metrics.LOAD_REACTIONS, metrics.LOAD_DROPPED)
        )
        self._seconds, self._lag = (
            prometheus_client.Histogram(*_named(metric), buckets=LATENCY_BUCKETS, registry=self.registry)
            for metric in (metrics.LOAD_SECONDS, metrics.LOAD_LAG)
        )
        prometheus_client.Gauge(*_named(metrics.LOAD_OUTSTANDING), registry=self.registry).set_function(outstanding)
        self._server: Any = None

    def serve(self, port: int) -> None:
        """Answer scrapes until `close`. A load goes on without them when the port is taken, by another load on the same lab."""
        try:
            self._server, _ = prometheus_client.start_http_server(port, addr=HOST, registry=self.registry)
        except OSError as error:
            log.warning("nobody can scrape this load: port %d is taken (%s)", port, error)

    def sent(self, lag_s: float, reaction: Reaction) -> None:
        """One request leaves, so long after it was due."""
        self._lag.observe(max(0.0, lag_s))
        if reaction:
            self._reactions.labels(reaction).inc()

    def answered(self, op: Op, result: Result, seconds: float) -> None:
        """So long after it was due it had its answer, or was given up."""
        self._requests.labels(op, result).inc()
        self._seconds.labels(op).observe(seconds)

    def dropped(self) -> None:
        """One request could not leave."""
        self._dropped.inc()

    def close(self) -> None:
        """No scrapes any more."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def _named(metric: Metric) -> tuple[str, str, tuple[str, ...]]:
    return metric.name, metric.help, metric.labels
