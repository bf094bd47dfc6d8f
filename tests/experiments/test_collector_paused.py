"""A collector that hangs for a whole drill costs its users nothing, and the spans that were dropped are counted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from reference_app.contract import metrics
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home
from reference_app.query.prometheus import Prometheus
from reference_app.stack.control import Control

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.verify, pytest.mark.timeout(600)]
DRILL = "kill-tweet-shard"
PHASES = {"warmup": 5, "baseline": 10, "ramp": 2, "before": 8, "fault": 12, "after": 30, "decay": 3}
NOISE, NOISE_MS = 1.5, 5.0
"""Two runs of the same load on a shared machine differ by less than this."""


@dataclass(frozen=True)
class Twin:
    """A run without a fault, and how many spans no collector took in it."""

    errors: int
    p50_ms: float
    p99_ms: float
    spans_dropped: float


@pytest.fixture
def twin(lab: Lab, failwhale: Callable[..., object]) -> Callable[[], Twin]:
    def run() -> Twin:
        began = time.time()
        phases = [text for name, seconds in PHASES.items() for text in ("--phase", f"{name}={seconds}")]
        done = failwhale("drill", DRILL, "--no-fault", *phases, "--json", timeout_s=200)
        load = json.loads(done.stdout)["load"]
        assert load["valid"], load["invalid_reasons"]
        return Twin(load["errors"], load["latency_ms"]["p50"], load["latency_ms"]["p99"], _dropped(lab, began))

    return run


def test_a_paused_collector_is_not_felt_by_users_and_counted_by_services(twin: Callable[[], Twin], home: Home) -> None:
    before = twin()
    Control(home).pause("collector")
    paused = twin()
    Control(home).resume("collector")
    after = twin()
    worst = Twin(*(max(pair) for pair in zip(_values(before), _values(after), strict=True)))
    assert before.spans_dropped == 0
    assert paused.spans_dropped > 100
    assert paused.errors <= worst.errors
    assert paused.p50_ms <= NOISE * worst.p50_ms + NOISE_MS
    assert paused.p99_ms <= NOISE * worst.p99_ms + NOISE_MS


def _values(twin: Twin) -> tuple[int, float, float, float]:
    return twin.errors, twin.p50_ms, twin.p99_ms, twin.spans_dropped


def _dropped(lab: Lab, since: float) -> float:
    prometheus = Prometheus(lab.prometheus_url)
    failed = (f'{metric.name}{{error_type!=""}}' for metric in (metrics.SPANS_PROCESSED, metrics.SPANS_EXPORTED))
    return sum(prometheus.increase(selector, since, time.time()) for selector in failed)
