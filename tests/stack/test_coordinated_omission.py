"""The gateway stands still for two seconds under fifty requests a second. An open loop says so; a closed one asks less, and says that all is well."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loadgen import plans, recording, runner
from loadgen.model import presets
from reference_app.kit.home import REPOSITORY, Home
from reference_app.stack.control import Control

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.verify, pytest.mark.usefixtures("lab")]
RATE, SECONDS = 50, 14
CLOSED_LOOP = Path(__file__).with_name("one_by_one.py")


def closed_loop(home: Home, results: Path) -> subprocess.Popen[bytes]:
    """One of Locust's users for as long as the open loop takes, away from the core of that one."""
    options = [
        "--headless",
        "-u",
        "1",
        "-r",
        "1",
        "-t",
        f"{SECONDS}s",
        "--csv",
        str(results),
        "--only-summary",
        "--exit-code-on-error",
        "0",
    ]
    command = [sys.executable, "-m", "locust", "-f", str(CLOSED_LOOP), *options]
    environment = os.environ | {"FAILWHALE_HOME": str(home.path)}
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
    return process


def told(results: Path) -> dict[str, str]:
    """The line of all requests in Locust's table."""
    with results.with_name(f"{results.name}_stats.csv").open() as file:
        return next(row for row in csv.DictReader(file) if row["Name"] == "Aggregated")


def test_a_freeze_shows_in_our_p99_and_not_in_that_of_a_closed_loop(home: Home, tmp_path: Path) -> None:
    phases = plans.scaled(1, {"warmup": 2, "baseline": SECONDS - 2, "ramp": 0, "before": 0, "fault": 0, "after": 0, "decay": 0})
    load = RATE / (presets.GOAL.reads.base + presets.GOAL.posts.base)
    run_dir = plans.create(home, preset="goal", seed=1, now=time.time(), phases=phases, load=load)
    began = plans.read(run_dir).t0
    ours = runner.start(home, run_dir)
    time.sleep(max(0.0, began - 2 - time.time()))
    theirs = closed_loop(home, tmp_path / "closed")
    try:
        time.sleep(max(0.0, began + 5 - time.time()))
        Control(home).pause("gateway-0")
        time.sleep(2)
        Control(home).resume("gateway-0")
        assert ours.wait(40) == 0
        theirs.wait(20)
    finally:
        theirs.kill()
        ours.stop()
    seen, believed = recording.report_of(run_dir).load, told(tmp_path / "closed")
    assert seen.valid, seen.invalid_reasons
    assert seen.sent == pytest.approx(RATE * SECONDS, abs=2)
    assert seen.latency_ms.p99 is not None
    assert seen.latency_ms.p99 >= 1000
    assert int(believed["Request Count"]) > 100
    assert float(believed["Max Response Time"]) > 1500, "it was there, and met the freeze: once"
    assert float(believed["99%"]) < seen.latency_ms.p99 / 4
    print(
        f"open loop: p99 {seen.latency_ms.p99:.0f} ms of {seen.sent}; closed loop: p99 {believed['99%']} ms of {believed['Request Count']}"
    )
