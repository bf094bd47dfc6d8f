"""The game day for CI as its command runs it, and one whose process is killed while a fault is in force: gone in seconds, continued later."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chaos import events, undo
from reference_app.contract.topology import Lab
from reference_app.kit.home import REPOSITORY, Home
from reference_app.stack import marks
from reference_app.stack.control import Control
from tests.waiting import await_true

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.verify, pytest.mark.timeout(2400)]

Failwhale = Callable[..., subprocess.CompletedProcess[str]]
CI, CI_S = "chaos/gamedays/ci.yaml", 20 * 60
GONE_S = 15
SHORT = """title: One short drill
entries: [kill-tweet-shard]
phases: {warmup: 3, baseline: 5, ramp: 1, before: 6, fault: 15, decay: 2}
repeats: 1
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "failwhale", *arguments]


def guests(home: Home) -> list[Any]:
    return [process for process in marks.find(home.path) if not process.component]


def test_six_drills_end_as_predicted_in_twenty_minutes_and_lose_nothing(lab: Lab, home: Home, failwhale: Failwhale) -> None:
    began = time.monotonic()
    done = failwhale("gameday", CI, "--json", timeout_s=2300)
    report = json.loads(done.stdout)
    told = [(drill["drill"], drill["verdict"], drill["result"] and drill["result"]["reasons"]) for drill in report["drills"]]
    assert (done.returncode, report["ok"]) == (0, True), (lab.topology, told)
    totals = report["totals"]
    assert (totals["done"], totals["lost"], totals["duplicated"]) == (6, 0, 0)
    assert (totals["shams"], totals["sham_alerts"], totals["detected"]) == (1, 0, totals["detectable"])
    assert any(drill["earlier"] for drill in report["drills"]) or time.monotonic() - began <= CI_S
    await_true(lambda: guests(home) == [], GONE_S)


def test_a_killed_game_day_leaves_no_fault_and_no_load_and_is_continued(lab: Lab, home: Home, failwhale: Failwhale, tmp_path: Path) -> None:
    path, runs = tmp_path / "short.yaml", set(home.runs.glob("*"))
    path.write_text(SHORT)
    with subprocess.Popen(command("gameday", str(path)), cwd=REPOSITORY) as day:
        await_true(lambda: any(injected(run) for run in set(home.runs.glob("*")) - runs), 240)
        day.kill()
    await_true(lambda: undo.pending(home) == [], GONE_S)
    await_true(lambda: guests(home) == [], 60)
    assert Control(home).unanswered() == {}, lab.topology
    record = max(home.gamedays.glob("*/record.ndjson"))
    before = record.read_bytes()

    done = failwhale("gameday", "--continue", "latest", "--json", timeout_s=600)
    report = json.loads(done.stdout)
    assert (done.returncode, report["complete"]) == (0, True), report["drills"]
    assert record.read_bytes().startswith(before)


def injected(run_dir: Path) -> bool:
    return events.first(events.read(run_dir), "injected") is not None
