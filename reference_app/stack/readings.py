"""What the prober knows right now, as Prometheus reads it: a value that is unknown has no series, it is never 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from reference_app.contract import metrics
from reference_app.contract.metrics import Metric


@dataclass(frozen=True)
class Reading:
    """One sample; `labels` are the values of `metric.labels`, in order."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


class Readings(Collector):
    """The last readings of each source. Written by the event loop, read by the threads that serve scrapes."""

    def __init__(self) -> None:
        self._by_source: dict[str, tuple[Reading, ...]] = {}

    def replace(self, source: str, readings: Iterable[Reading]) -> None:
        """All that is known from this source now; what it reported before and does not report now disappears."""
        self._by_source = self._by_source | {source: tuple(readings)}

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        """One family per metric of the contract, without series while nothing is known."""
        families = {metric.name: _family(metric) for metric in metrics.PROBER_METRICS}
        for readings in self._by_source.values():
            for reading in readings:
                families[reading.metric.name].add_metric(reading.labels, reading.value)
        return families.values()


def _family(metric: Metric) -> CounterMetricFamily | GaugeMetricFamily:
    if metric.type == "counter":
        return CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    return GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
