"""The generator by the commands that users type."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import msgspec
import pytest

from loadgen import facts, report, runner
from reference_app.kit import home as homes

FRONT_DOOR = "import typer; from failwhale.commands import load; app = typer.Typer(); load.register(app); app()"
LOAD_RUN = [sys.executable, "-c", FRONT_DOOR, "load", "run", "goal"]
PLAIN_LOCUST = [sys.executable, "-m", "locust", "-f", str(runner.LOCUSTFILE), "--headless", "-u", "1", "-r", "1"]


@pytest.fixture
def start(target, make_home):
    """Starts a command against the target."""
    home, started = make_home(target.port), []

    def run(argv):
        environment = os.environ | {homes.HOME_VARIABLE: str(home.path)}
        process = subprocess.Popen(argv, cwd=homes.REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        started.append(process)
        return home, process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def wait_for_load(home):
    """The run directory of a load that has begun to send."""
    for _ in range(200):
        for path in home.runs.glob("*/load/history.ndjson"):
            if path.stat().st_size > 5000:
                return path.parents[1]
        time.sleep(0.1)
    raise TimeoutError("no load began within 20 s")


@pytest.mark.verify
def test_load_run_prints_one_object_and_exits_by_the_validity(start):
    _, process = start([*LOAD_RUN, "--json", "--duration-scale", "0.02", "--phase", "baseline=3", "--seed", "4"])
    out, progress = process.communicate(timeout=40)
    document = msgspec.json.decode(out)
    assert document["schema"] == "failwhale/load/v1"
    assert document["load"]["preset"] == "goal"
    assert process.returncode == (0 if document["load"]["valid"] else 1)
    assert b"offered" in progress


def test_ctrl_c_ends_load_run_with_a_report_of_what_was_measured(start):
    home, process = start([*LOAD_RUN, "--json"])
    run_dir = wait_for_load(home)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 130
    assert msgspec.json.decode(out)["load"]["sent"] > 0
    found = facts.read(run_dir)
    assert found is not None
    assert found.stopped_by == "interrupt"


def test_plain_locust_needs_no_arguments_of_ours_and_leaves_a_report(start):
    home, process = start(PLAIN_LOCUST)
    run_dir = wait_for_load(home)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 0
    assert msgspec.json.decode((run_dir / report.FILE).read_bytes(), type=report.Report).load.requests > 0
