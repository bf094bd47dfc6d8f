"""Generators that something happened to: each run says that it may not be believed, and why."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest

from chaos import cgroups
from loadgen import recording
from tests.waiting import freeze

pytestmark = pytest.mark.verify
LEAD_S = 12.0
"""On a crowded machine a generator takes long to begin."""
STEP = """
import os, time

wall = time.time
time.time = lambda: wall() + 3600 * os.path.exists({flag!r})
"""


def reasons(load):
    """Why the run is invalid, once it is over."""
    assert load.generator.wait(40) == 0
    measured = recording.report_of(load.run_dir).load
    assert not measured.valid
    assert measured.latency_ms.p99 is None
    return " | ".join(measured.invalid_reasons)


def test_a_generator_that_was_paused(target, make_home, start_load):
    load = start_load(make_home(target.port), baseline=6, lead_s=LEAD_S)
    load.sleep_until(3)
    os.kill(load.generator.pid, signal.SIGSTOP)
    load.sleep_until(5)
    os.kill(load.generator.pid, signal.SIGCONT)
    told = reasons(load)
    assert "event loop stood still" in told
    assert "of them the whole process did not run" in told
    assert "requests left late" in told


@pytest.mark.skipif(cgroups.controller("cpu") is None, reason="CPU quotas need a cgroup that may be written to")
def test_a_generator_that_a_quota_starves(target, make_home, start_load):
    load, where = start_load(make_home(target.port), baseline=6, lead_s=LEAD_S), cgroups.controller("cpu")
    load.sleep_until(1)
    try:
        cgroups.limit_cpu(where, "failwhale-test-generator", 3, [load.generator.pid])
        load.sleep_until(6)
    finally:
        cgroups.dissolve(where, "failwhale-test-generator")
    told = reasons(load)
    assert "requests left late" in told
    assert "ready and not let run" in told


def test_a_wall_clock_that_jumps(target, make_home, start_load, tmp_path, monkeypatch):
    flag = tmp_path / "an hour later"
    (tmp_path / "sitecustomize.py").write_text(STEP.format(flag=str(flag)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    load = start_load(make_home(target.port), baseline=5, lead_s=LEAD_S)
    load.sleep_until(3)
    flag.touch()
    assert "the wall clock was stepped by +3600" in reasons(load)


def test_a_generator_without_file_descriptors(target, make_home, start_load):
    load = start_load(make_home(target.port), baseline=6, lead_s=LEAD_S)
    load.sleep_until(2)
    highest = max(int(entry.name) for entry in Path(f"/proc/{load.generator.pid}/fd").iterdir())
    resource.prlimit(load.generator.pid, resource.RLIMIT_NOFILE, (highest + 1, highest + 1))
    freeze(target.process)
    load.sleep_until(3)
    target.process.send_signal(signal.SIGCONT)
    assert "no file descriptor or port left" in reasons(load)
