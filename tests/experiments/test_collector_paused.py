"""A collector that hangs for a whole drill costs its users nothing, and the spans that were dropped are counted."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from loadgen import history
from reference_app.contract import metrics
from reference_app.contract.topology import Lab
from reference_app.kit.home import REPOSITORY, Home
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
def twin(lab: Lab, home: Home) -> Callable[..., Twin]:
    """Runs the load of a drill without its fault; a collector that hangs does so from its first second on, when the alerts were quiet."""

    def run(*, paused: bool) -> Twin:
        began, known = time.time(), set(home.runs.glob("*"))
        phases = [text for name, seconds in PHASES.items() for text in ("--phase", f"{name}={seconds}")]
        command = [sys.executable, "-m", "failwhale", "drill", DRILL, "--no-fault", *phases, "--json"]
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as drill:
            if paused:
                _await_load(home, known)
                Control(home).pause("collector")
            written, _ = drill.communicate(timeout=200)
        Control(home).resume("collector")
        load = json.loads(written)["load"]
        assert load["valid"], load["invalid_reasons"]
        return Twin(load["errors"], load["latency_ms"]["p50"], load["latency_ms"]["p99"], _dropped(lab, began))

    return run


def test_a_paused_collector_is_not_felt_by_users_and_counted_by_services(twin: Callable[..., Twin]) -> None:
    before, paused, after = twin(paused=False), twin(paused=True), twin(paused=False)
    worst = Twin(*(max(pair) for pair in zip(_values(before), _values(after), strict=True)))
    assert before.spans_dropped == 0
    assert paused.spans_dropped > 100
    assert paused.errors <= worst.errors
    assert paused.p50_ms <= NOISE * worst.p50_ms + NOISE_MS
    assert paused.p99_ms <= NOISE * worst.p99_ms + NOISE_MS


def _await_load(home: Home, known: set[Path], limit_s: float = 60) -> None:
    deadline = time.monotonic() + limit_s
    while not any((run / history.FILE).exists() for run in set(home.runs.glob("*")) - known):
        assert time.monotonic() < deadline, f"no load within {limit_s} s"
        time.sleep(0.2)


def _values(twin: Twin) -> tuple[int, float, float, float]:
    return twin.errors, twin.p50_ms, twin.p99_ms, twin.spans_dropped


def _dropped(lab: Lab, since: float) -> float:
    prometheus = Prometheus(lab.prometheus_url)
    failed = (f'{metric.name}{{error_type!=""}}' for metric in (metrics.SPANS_PROCESSED, metrics.SPANS_EXPORTED))
    return sum(prometheus.increase(selector, since, time.time()) for selector in failed)
