"""What faults measure of themselves, read from real processes, files and a database's answer. Without a lab."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos import cgroups
from chaos.faults import databases
from chaos.faults.config import SetDecider
from chaos.faults.databases import ExhaustConnections, HangWrites, LockTable, ReadOnly
from chaos.faults.limits import SetLimits
from chaos.faults.process import CrashLoop, Kill, KillAndHold, Pause
from chaos.faults.resources import CpuBurn, CpuQuota, FewDescriptors, MemoryLimit
from reference_app.contract import storage
from reference_app.contract.topology import SMALL, Component, Lab, components
from reference_app.kit import deciders, files, limits
from reference_app.kit.home import Home
from reference_app.stack import agents, marks
from tests.waiting import await_true

SERVICE, DATABASE = "users-0", "users-db-0"
Start = Callable[..., int]


@pytest.fixture
def start(home: Home) -> Iterator[Start]:
    """Starts a real process under a component's name, and returns its pid. The port of the database is free."""
    offset = next(component.port for component in components(SMALL, 0) if component.name == DATABASE)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        base = int(probe.getsockname()[1]) - offset
    files.write_json(home.lab_file, Lab(str(home.path), "small", base, components(SMALL, base), "key", "password"))
    started: list[str] = []

    def start(name: str, *argv: str) -> int:
        agents.start(home, name, argv or ("sleep", "60"))
        started.append(name)
        return marks.components(home.path)[name].pid

    yield start
    for name in started:
        agents.end(home, name)


def test_a_paused_process_is_there_and_stands_still(home: Home, start: Start) -> None:
    pid, paused = start(SERVICE), Pause(SERVICE)
    assert paused.measured(home)["stopped_processes"] == 0
    os.kill(pid, signal.SIGSTOP)
    await_true(lambda: paused.measured(home)["stopped_processes"] == 1)
    assert paused.measured(home)["processes"] == 1


@pytest.mark.parametrize("fault", [Kill(SERVICE), KillAndHold(SERVICE), CrashLoop(SERVICE)], ids=lambda fault: fault.kind)
def test_of_who_was_killed_it_is_known_whether_there_is_another_and_for_how_long(home: Home, start: Start, fault: Kill) -> None:
    start("graph-0")
    assert fault.measured(home) == {"processes": 0, "stopped_processes": 0}
    start(SERVICE)
    assert fault.measured(home) == {"processes": 1, "stopped_processes": 0, "uptime_s": pytest.approx(0, abs=5)}


def test_open_files_are_counted_beside_what_is_allowed(home: Home, start: Start) -> None:
    pid = start(SERVICE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (9, 100))
    found = FewDescriptors(SERVICE, former=(50, 100)).measured(home)
    assert (found["allowed_files"], found["open_files"]) == (9, len(list(Path(f"/proc/{pid}/fd").iterdir())))


def test_cpu_time_that_was_burnt_is_that_of_all_who_burn_it(home: Home, start: Start) -> None:
    fault = CpuBurn(workers=2)
    assert fault.measured(home) == {"burnt_s": 0.0}
    start("cpu-burn-1", sys.executable, "-c", "while True: pass")
    await_true(lambda: fault.measured(home)["burnt_s"] > 0)


def test_a_server_that_lets_nobody_in_is_not_asked_who_has_its_connections(home: Home, start: Start) -> None:
    port, fault = home.lab().component(DATABASE).port, ExhaustConnections(DATABASE)
    assert fault.measured(home) == {"connections_held": 0.0}
    with socket.create_server(("127.0.0.1", port)):
        start(fault.agent, sys.executable, "-c", HOLDS.format(port=port))
        await_true(lambda: fault.measured(home) == {"connections_held": 3.0})


HOLDS = "import socket, time; held = [socket.create_connection(('127.0.0.1', {port})) for _ in range(3)]; time.sleep(60)"


@pytest.mark.parametrize("fault", [LockTable(DATABASE), HangWrites(DATABASE)], ids=lambda fault: fault.kind)
def test_statements_of_the_app_that_wait_for_a_lock_are_counted(
    home: Home, start: Start, monkeypatch: pytest.MonkeyPatch, fault: LockTable | HangWrites
) -> None:
    assert start("graph-0")
    app = storage.APPLICATION_USER
    listed = [
        (1, app, "", "app", "Query", 0, "Waiting for table metadata lock", "SELECT", 0.0),
        (2, app, "", "app", "Query", 3, "Sending data", "SELECT", 0.0),
        (3, app, "", "app", "Query", 0, "Sending data", "SELECT", 0.0),
        (4, app, "", "app", "Sleep", 9, "", None, 0.0),
        (5, "other", "", "app", "Query", 9, "Waiting for table metadata lock", "SELECT", 0.0),
    ]
    monkeypatch.setattr(databases, "answer", answering({"SHOW PROCESSLIST": listed}))
    assert fault.measured(home) == {"statements_waiting": 2.0}


def test_a_read_only_server_says_so_itself(home: Home, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    assert start("graph-0")
    monkeypatch.setattr(databases, "answer", answering({"SELECT @@global.read_only": [(1,)]}))
    assert ReadOnly(DATABASE).measured(home) == {"read_only": 1.0}


def answering(answers: dict[str, list[tuple[Any, ...]]]) -> Callable[[Component, str], Any]:
    async def answer(_component: Component, statement: str) -> list[tuple[Any, ...]]:
        return answers[statement]

    return answer


def test_settings_are_told_as_processes_read_them(home: Home) -> None:
    deciders.write(home, "retries", 1, by="test")
    limits.write(home.limits_file, {limits.POSTS: 7})
    assert SetDecider("retries", 2, 2).measured(home) == {"value": 1.0}
    assert SetLimits({limits.POSTS: 9}).measured(home) == {limits.POSTS: 7.0}


@pytest.mark.parametrize("version", [1, 2])
def test_groups_tell_what_their_limits_did(home: Home, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    assert start("graph-0")
    group = tmp_path / f"failwhale-{home.lab().port_base}-{SERVICE}"
    group.mkdir()
    for name, text in KERNEL[version].items():
        (group / name).write_text(text)
    monkeypatch.setattr(cgroups, "controller", lambda _name: cgroups.Controller(tmp_path, version))
    assert CpuQuota(SERVICE).measured(home) == {"percent": 4.0, "throttled_s": 1.5}
    assert MemoryLimit(SERVICE).measured(home) == {"used_mib": 48.0, "killed": 2.0}


KERNEL = {
    1: {
        "cpu.cfs_quota_us": "4000\n",
        "cpu.stat": "nr_periods 40\nnr_throttled 20\nthrottled_time 1500000000\n",
        "memory.usage_in_bytes": "50331648\n",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    },
    2: {
        "cpu.max": "4000 100000\n",
        "cpu.stat": "usage_usec 9\nnr_throttled 20\nthrottled_usec 1500000\n",
        "memory.current": "50331648\n",
        "memory.events": "low 0\noom 2\noom_kill 2\n",
    },
}
"""Files of a group as a kernel writes them, by version of cgroups."""
