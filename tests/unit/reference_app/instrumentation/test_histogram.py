"""Histograms told as prometheus_client tells them."""

from __future__ import annotations

import random
from dataclasses import replace

import prometheus_client
import pytest
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from reference_app.contract import metrics
from reference_app.instrumentation.histogram import BUCKETS, Histogram
from reference_app.instrumentation.recorder import Recorder

HARD = (("plain", "ok"), ('quo"ted', "back\\slash"), ("two\nlines", "ünïcode"), ("", "empty"))
"""Values of labels."""


def _two() -> tuple[Histogram, prometheus_client.Histogram, prometheus_client.CollectorRegistry]:
    metric = replace(metrics.HTTP_CLIENT, labels=("peer", "outcome"), help='A "help" with a \\ and\ntwo lines')
    registry = prometheus_client.CollectorRegistry()
    return (
        Histogram(metric),
        prometheus_client.Histogram(metric.name, metric.help, metric.labels, buckets=BUCKETS, registry=registry),
        registry,
    )


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if "_created" not in line and line != "# EOF"]


def test_a_histogram_is_told_byte_by_byte_as_the_library_tells_it() -> None:
    own, known, registry = _two()
    rng = random.Random(2)
    for labels in HARD:
        for seconds in (0.0, 1e-6, *BUCKETS, 7.0, 1e6, *(rng.expovariate(20) for _ in range(500))):
            own.find(labels).observe(seconds)
            known.labels(*labels).observe(seconds)
    assert _lines(own.text()) == _lines(generate_latest(registry).decode())  # type: ignore[no-untyped-call]


def test_exemplars_are_told_with_their_trace() -> None:
    own, known, registry = _two()
    for seconds, trace in ((0.002, "ab" * 16), (9.0, "cd" * 16)):
        own.find(HARD[0]).observe(seconds, trace)
        known.labels(*HARD[0]).observe(seconds, {"trace_id": trace})
    told, expected = (_exemplars(text) for text in (f"{own.text()}# EOF\n", generate_latest(registry).decode()))  # type: ignore[no-untyped-call]
    assert told == expected
    assert len(told) == 2


def _exemplars(text: str) -> list[tuple[str, dict[str, str], float]]:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return [(s.labels["le"], s.exemplar.labels, s.exemplar.value) for s in samples if s.exemplar]


@pytest.mark.parametrize("seconds", [0.004, 3.0])
def test_an_exposition_is_whole_and_ends_once(seconds: float) -> None:
    recorder = Recorder()
    recorder.observe(metrics.DELIVERY_SECONDS, seconds)
    text = recorder.exposition().decode()
    assert text.count("# EOF") == 1
    families = {family.name: family for family in text_string_to_metric_families(text)}
    exported = {metric.name.removesuffix("_total") for metric in metrics.SERVICE_METRICS}
    assert families.keys() >= {family.removesuffix("_total") for family in exported}
    counted = next(s for s in families[metrics.DELIVERY_SECONDS.name].samples if s.name.endswith("_sum"))
    assert counted.value == seconds
