"""The lab of the test session: a home and ports of its own, started on first use, ended with the session."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chaos import undo
from reference_app.contract.topology import PORTS_PER_LAB, Lab
from reference_app.kit import failpoints
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home
from reference_app.stack import bootstrap, promotion
from reference_app.stack.control import Control

SHARED_DATA = REPOSITORY.parent / "shared" / "data"
REED98 = SHARED_DATA / "graph-reed98" / "socfb-Reed98.edges"
USERS = 300
DRILL = "kill-tweet-shard-no-replica-reads"
SHAM_PHASES = {"warmup": 3, "baseline": 8, "ramp": 2, "before": 6, "fault": 10, "after": 20, "decay": 2}

Failwhale = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Recorded:
    """A drill as its command left it."""

    result: dict[str, Any]
    exit_code: int
    stderr: str
    run_dir: Path
    incident_dir: Path


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The session's home; the environment names it and a block of free ports for every process that tests start."""
    if shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        pytest.skip("the servers are not installed: run scripts/setup.sh")
    path = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(HOME_VARIABLE, str(path))
        environment.setenv("FAILWHALE_PORT_BASE", str(free_base(19100)))
        yield Home(path)


@pytest.fixture(scope="session")
def failwhale(home: Home) -> Failwhale:  # noqa: ARG001 - sets the environment
    """Runs the command line."""

    def run(*arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "failwhale", *arguments]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=timeout_s, check=False)

    return run


@pytest.fixture(scope="session")
def _started(home: Home, failwhale: Failwhale) -> Iterator[Lab]:
    try:
        up = failwhale("up", timeout_s=150)
        assert up.returncode == 0, up.stderr
        seeded = failwhale("seed", "--users", str(USERS))
        assert seeded.returncode == 0, seeded.stderr
        yield home.lab()
    finally:
        down = failwhale("down")
    assert down.returncode == 0, down.stderr


@pytest.fixture
def lab(request: pytest.FixtureRequest, home: Home, _started: Lab) -> Iterator[Lab]:
    """The running lab. A test marked `breaks` may leave it broken: it is healed afterwards."""
    yield _started
    if request.node.get_closest_marker("breaks"):
        heal(home)


@pytest.fixture(scope="session")
def graph() -> list[str]:
    """Arguments that seed the real graph, where it is there; else the lab keeps its made-up population."""
    return ["--graph", str(REED98), "--undirected"] if REED98.exists() else []


@pytest.fixture(scope="session")
def recorded_drill(_started: Lab, failwhale: Failwhale, home: Home, graph: list[str]) -> Recorded:
    """The drill that users notice, once per session; measured again, at most twice, when the machine was too busy to measure at all."""
    arguments = [DRILL, *graph, "--phase", "baseline=27"]
    recorded = _record(failwhale, home, *arguments)
    for _ in range(2):
        if recorded.result["load"]["valid"]:
            break
        recorded = _record(failwhale, home, *arguments)
    return recorded


@pytest.fixture(scope="session")
def recorded_sham(_started: Lab, failwhale: Failwhale, home: Home) -> Recorded:
    """The same drill without its fault, shortened."""
    phases = [text for name, seconds in SHAM_PHASES.items() for text in ("--phase", f"{name}={seconds}")]
    return _record(failwhale, home, DRILL, "--no-fault", *phases)


def heal(home: Home) -> None:
    """Take back whatever a test did to the lab."""
    failpoints.disarm(home.failpoints_file)
    undo.replay(home, by="test")
    home.deciders_file.unlink(missing_ok=True)
    home.limits_file.unlink(missing_ok=True)
    Control(home).heal(30)
    for shard in bootstrap.shards(home.lab()):
        if shard.primary.swapped:
            promotion.promote(home, f"{shard.name}-primary", by="test", say=print)


def _record(failwhale: Failwhale, home: Home, *arguments: str) -> Recorded:
    done = failwhale("drill", *arguments, "--json", timeout_s=330)
    assert done.stdout, done.stderr
    result = json.loads(done.stdout)
    return Recorded(result, done.returncode, done.stderr, home.runs / result["run_id"], home.incidents / result["run_id"])


def free_base(first: int) -> int:
    """The first of fifty blocks of ports in which nobody listens. Labs that may run side by side start to look at different ones."""
    last = first + 50 * PORTS_PER_LAB
    for base in range(first, last, PORTS_PER_LAB):
        if not any(_listens(port) for port in range(base, base + PORTS_PER_LAB)):
            return base
    pytest.fail(f"no free block of 100 ports between {first} and {last}")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
