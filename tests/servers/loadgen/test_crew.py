"""A load that several processes send: Locust's own `--processes`, and a master with workers in terminals of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import msgspec
import pytest

from loadgen import facts, history, plans, recording, report
from loadgen.model import mix
from reference_app.kit import home as homes

pytestmark = pytest.mark.verify
LEAD_S = 12.0
"""On a crowded machine a generator takes long to begin."""
USERS = 50


def is_the_whole_schedule(run_dir):
    planned = {r.n: (r.op, r.user, r.key) for r in mix.schedule(plans.read(run_dir), users=USERS)}
    operations = history.read(run_dir / history.FILE)
    assert {o.n: (o.op, o.user, o.key) for o in operations if o.scheduled} == planned
    assert len({o.n for o in operations}) == len(operations)
    return operations


def parts(run_dir):
    return sorted(path.name for path in (run_dir / facts.FILE).parent.glob("generator*.json"))


def test_two_processes_send_one_schedule_and_are_judged_as_one(target, make_home, start_load):
    load = start_load(make_home(target.port), baseline=5, seed=30, processes=2, lead_s=LEAD_S)
    assert load.generator.wait(30) == 0
    operations = is_the_whole_schedule(load.run_dir)
    assert parts(load.run_dir) == ["generator-1-of-2.json", "generator-2-of-2.json"]
    each = [msgspec.json.decode(path.read_bytes(), type=facts.Facts) for path in (load.run_dir / "load").glob("generator-*")]
    assert all(40 < part.planned == part.sent for part in each)
    merged = facts.read(load.run_dir)
    assert merged is not None
    assert merged.sent == sum(o.scheduled for o in operations)
    assert 0 < (merged.lag_p99_ms or 0) <= max(part.lag_p99_ms or 0 for part in each) * 1.02


def workers(load):
    """Ids of the processes that send, once they do."""
    while not (load.run_dir / history.FILE).exists():
        assert load.generator.poll() is None
        time.sleep(0.1)
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(load.generator.pid)], capture_output=True, text=True, check=True).stdout
    return sorted(int(pid) for pid in found.split())


def test_a_load_of_several_processes_that_is_stopped_leaves_complete_files(target, make_home, start_load):
    load = start_load(make_home(target.port), baseline=60, processes=2, lead_s=LEAD_S)
    workers(load)
    load.sleep_until(2)
    assert load.generator.stop() == 0
    merged = facts.read(load.run_dir)
    assert merged is not None
    assert merged.stopped_by == "interrupt"
    assert all(o.completed_at for o in history.read(load.run_dir / history.FILE))


def test_a_process_that_is_killed_makes_the_load_invalid(target, make_home, start_load):
    load = start_load(make_home(target.port), baseline=4, processes=2, lead_s=LEAD_S)
    os.kill(workers(load)[-1], 9)
    load.generator.wait(40)
    measured = recording.report_of(load.run_dir).load
    assert not measured.valid
    assert "not every process of the generator lived to write" in measured.invalid_reasons[0]


SHORT = """
import functools
from loadgen.locustfiles.spike import Spike
from loadgen.users import spike

spike.open_load = functools.partial(spike.open_load, scale=0.05)
"""
"""The locustfile, with a plan of its own of 8 s."""


def test_a_master_and_two_workers_of_ones_own_share_a_plan_and_leave_a_report(target, make_home, tmp_path):
    home, port = make_home(target.port), str(free_port())
    (tmp_path / "short.py").write_text(SHORT)
    plain = [sys.executable, "-m", "locust", "-f", str(tmp_path / "short.py")]
    of_master = [
        "--master",
        "--headless",
        "--expect-workers",
        "2",
        "-u",
        "2",
        "-r",
        "2",
        "--master-bind-host",
        "127.0.0.1",
        "--master-bind-port",
        port,
    ]
    environment = os.environ | {homes.HOME_VARIABLE: str(home.path)}
    started = [
        subprocess.Popen([*plain, *of_master], cwd=homes.REPOSITORY, env=environment, stderr=subprocess.DEVNULL),
        *(subprocess.Popen([*plain, "--worker", "--master-port", port], cwd=homes.REPOSITORY, env=environment, stderr=subprocess.DEVNULL) for _ in "ab"),
    ]  # fmt: skip
    try:
        assert [process.wait(60) for process in started] == [0, 0, 0]
    finally:
        for process in started:
            process.kill()
    (left,) = home.runs.glob(f"*/{report.FILE}")
    run_dir = left.parents[1]
    is_the_whole_schedule(run_dir)
    assert parts(run_dir) == ["generator-1-of-2.json", "generator-2-of-2.json"]
    written = msgspec.json.decode(left.read_bytes(), type=report.Report)
    assert written.load.sent == len(mix.schedule(plans.read(run_dir), users=USERS))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
