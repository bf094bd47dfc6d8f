from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from reference_app.contract import metrics
from reference_app.stack.readings import Reading, Readings


def exported(readings: Readings) -> str:
    registry = CollectorRegistry()
    registry.register(readings)
    return generate_latest(registry).decode()


def test_nothing_known_means_no_series_at_all() -> None:
    assert [line for line in exported(Readings()).splitlines() if not line.startswith("#")] == []


def test_a_value_that_is_no_longer_known_disappears() -> None:
    readings = Readings()
    readings.replace("a", [Reading(metrics.REPLICATION_LAG, ("a", "s"), 3), Reading(metrics.REPLICATION_RUNNING, ("a", "s"), 1)])
    readings.replace("a", [Reading(metrics.REPLICATION_RUNNING, ("a", "s"), 0)])
    text = exported(readings)
    assert 'replication_running{component="a",shard="s"} 0.0' in text
    assert "replication_lag_seconds{" not in text


def test_sources_do_not_overwrite_one_another() -> None:
    readings = Readings()
    for name in ("a", "b"):
        readings.replace(name, [Reading(metrics.COMPONENT_UP, (name, "redis"), 1)])
    assert exported(readings).count("component_up{") == 2


def test_every_prober_metric_is_exported_under_its_contract_name() -> None:
    readings = Readings()
    readings.replace("all", [Reading(metric, tuple(metric.labels), 1) for metric in metrics.PROBER_METRICS])
    samples = {line.split("{")[0].split(" ")[0] for line in exported(readings).splitlines() if not line.startswith("#")}
    assert samples == {metric.name for metric in metrics.PROBER_METRICS}
