"""The cache-truth benchmark as its command runs it, once: without the protections a collapse, with them none, on the same reads."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from reference_app.kit.home import REPOSITORY

pytestmark = [pytest.mark.verify, pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    command = [sys.executable, "-m", "failwhale", "bench", "cache-truth", "--json"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["results"]["cache-truth"]
    return found


def test_at_84_percent_hits_without_protections_goodput_is_below_half_for_20_seconds(result: dict[str, Any]) -> None:
    off = result["absolute"]["off"]
    assert result["absolute"]["lacking"] == "nothing"
    assert off["hit_rate_before"] >= 0.998
    assert off["hit_rate_cold"] == pytest.approx(0.84, abs=0.03)
    assert off["seconds_below_half"] >= 20
    assert off["counted"]["simulated_refusals"] > 0


def test_with_protections_the_same_reads_keep_90_percent(result: dict[str, Any]) -> None:
    on = result["absolute"]["on"]
    assert on["goodput_cold"] >= 0.9
    assert on["seconds_below_half"] == 0
    assert result["passed"]


def test_the_simulated_device_is_labelled(result: dict[str, Any]) -> None:
    assert result["absolute"]["simulated_device"].startswith("pool of ")
