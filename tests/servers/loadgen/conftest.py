"""A target process, and homes whose gateway it plays."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from loadgen import plans, runner
from loadgen.runner import Generator
from reference_app.contract import topology
from reference_app.contract.seed import Seed
from reference_app.kit import files
from reference_app.kit.home import Home

USERS = 50


@dataclass
class Target:
    port: int
    process: subprocess.Popen[bytes]


@dataclass
class Load:
    """A generator that was started."""

    home: Home
    run_dir: Path
    generator: Generator
    scraped: str = ""

    def sleep_until(self, load_second: float) -> None:
        time.sleep(max(0.0, plans.read(self.run_dir).t0 + load_second - time.time()))


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("target.py")), str(port)])
    _wait_for(port)
    yield Target(port, process)
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"the target does not listen on port {port}")


@pytest.fixture(scope="module")
def make_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Home]:
    """A home with users whose gateway is on the given port."""

    def make(gateway_port: int) -> Home:
        path = tmp_path_factory.mktemp("home")
        lab = topology.Lab(str(path), "small", gateway_port, topology.components(topology.SMALL, gateway_port), "key", "password")
        files.write_json(path / "lab.json", lab)
        files.write_json(path / "seed.json", Seed(USERS, 100, "synthetic", directed=True, top_followers=10, seeded_at=0.0))
        return Home(path)

    return make


@pytest.fixture(scope="module")
def start_load() -> Iterator[Callable[..., Load]]:
    """Starts loads at base rate: a second of warm-up and `baseline` more; what still runs in the end is stopped."""
    started: list[Load] = []

    def start(
        home: Home,
        *,
        baseline: float,
        preset: str = "goal",
        seed: int = 1,
        leased: bool = False,
        processes: int = 1,
        lead_s: float = plans.LEAD_S,
    ) -> Load:
        seconds = {"warmup": 1, "baseline": baseline, "ramp": 0, "before": 0, "fault": 0, "after": 0, "decay": 0}
        run_dir = plans.create(home, preset=preset, seed=seed, now=time.time(), phases=plans.scaled(1, seconds), lead_s=lead_s)
        started.append(Load(home, run_dir, runner.start(home, run_dir, leased=leased, processes=processes)))
        return started[-1]

    yield start
    for load in started:
        load.generator.stop()
