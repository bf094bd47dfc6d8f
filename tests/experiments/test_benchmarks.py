"""Benchmarks that need a lab, run as their command runs them, a few windows each: that they work, and that a regression is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reference_app.kit.home import HOME_VARIABLE, REPOSITORY

pytestmark = [pytest.mark.verify, pytest.mark.timeout(600)]


def bench(home: Path, name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "failwhale", "bench", name, "--quick", "--json"]
    environment = os.environ | {HOME_VARIABLE: str(home)}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)["results"][name]
    return result


@pytest.mark.parametrize(
    ("name", "parts"), [("home-read", {"gateway", "timelines", "tweets", "timeline-cache"}), ("post", {"gateway", "tweets", "tweets-db"})]
)
def test_a_benchmark_tells_its_ratio_and_where_the_time_goes(tmp_path: Path, name: str, parts: set[str]) -> None:
    result = bench(tmp_path, name)
    assert result["low"] <= result["ratio"] <= result["high"]
    (by_group,) = (value for figure, value in result["absolute"].items() if figure in {"read_us_by_group", "post_us_by_group"})
    assert parts <= by_group.keys()
    assert result["ratio"] > 1, "the app does more than its yardstick"


def test_what_a_lab_weighs_is_told_by_kind(tmp_path: Path) -> None:
    absolute = bench(tmp_path, "footprint")["absolute"]
    assert absolute["lab_pss_mib"] > 100
    assert {"mariadb", "redis", "gateway"} <= absolute["pss_mib_each"].keys()
