"""Minutes at 0.6 of the knee: no process leaks, no queue grows, and nothing that was acknowledged is lost.

`FAILWHALE_SOAK_SECONDS` is how long (600); a minute is enough to see that the test itself works. Stores grow with the data by design (MariaDB
fills its buffer pool, Redis holds the lists, JetStream an hour of messages, Prometheus its head): they are bounded by a post, all of them
together, while services, which keep nothing, must stay as they are. Search keeps an hour of tweets in memory and is allowed what those take.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chaos import backlog
from chaos.audit import run as audits
from chaos.audit import witness
from chaos.audit.model import VIOLATIONS
from chaos.audit.witness import Witness
from loadgen import history
from reference_app.contract.topology import Lab
from reference_app.kit.home import REPOSITORY, Home
from reference_app.query.prometheus import Prometheus
from reference_app.stack import marks
from tests.experiments import soaking
from tests.experiments.soaking import Look

SECONDS = float(os.environ.get("FAILWHALE_SOAK_SECONDS", "600"))
WARM_UP_S = max(20.0, 0.2 * SECONDS)
OF_KNEE, KNEE_S, LOOK_EVERY_S = 0.6, 720, 2.0
SEARCH_KIB, STORES_KIB = 4.0, 256.0
"""Of memory a post: in search, and in all stores together (rows and their undo, binlogs, outbox, a list entry per follower)."""
pytestmark = [pytest.mark.lab, pytest.mark.verify, pytest.mark.timeout(SECONDS + KNEE_S + 180)]
Failwhale = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def knee(lab: Lab, failwhale: Failwhale) -> dict[str, Any]:  # noqa: ARG001 - it runs
    """Measured, unless the home has it."""
    done = failwhale("load", "knee", "--json", timeout_s=KNEE_S)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_at_six_tenths_of_the_knee_nothing_leaks_piles_up_or_is_lost(lab: Lab, home: Home, knee: dict[str, Any], tmp_path: Path) -> None:
    with soaked() as load, Witness(lab, tmp_path):
        looks = list(watched(lab, home, load))
        document = json.loads(load.communicate(timeout=60)[0])
    done = document["load"]
    assert done["valid"], done["invalid_reasons"]
    settled = looks[int(WARM_UP_S / LOOK_EVERY_S) :]
    assert len(settled) > soaking.SHARES * 5, "too few looks to judge by"
    grown = soaking.memory_growth(settled)
    for one in grown:
        print(f"{one.name:24} {one.first:7.1f} -> {one.last:7.1f} MiB")
    ours = [one for one in grown if lab.component(one.name).kind in ("service", "prober", "collector")]
    posts_kib = done["acknowledged"] / 1024
    assert soaking.leaks(ours, {"search-0": SEARCH_KIB * posts_kib}) == []
    stores = sum(one.by for one in grown if lab.component(one.name).kind in ("mariadb", "redis", "nats"))
    assert stores <= STORES_KIB * posts_kib + soaking.MEMORY_MAX * sum(one.first for one in grown), (
        "stores grow by more than the posts explain"
    )
    assert soaking.longer(soaking.queue_growth(settled), most=soaking.QUEUE_MAX) == []
    assert soaking.longer(soaking.files_growth(settled), most=soaking.FILES_MAX) == []

    found = audits.audit(lab, Path(document["run_dir"]) / history.FILE, witnessed=witness.read(tmp_path))
    assert found.complete, found.reasons
    assert {name: getattr(found, name) for name in VIOLATIONS} == dict.fromkeys(VIOLATIONS, 0), found.examples
    print(
        f"{done['requests']} requests at {OF_KNEE} of {knee['requests_per_s']}/s, {found.acknowledged} tweets acknowledged, {done['errors']} errors"
    )


def soaked() -> subprocess.Popen[str]:
    lengths = {"warmup": 1, "baseline": 0, "ramp": 5, "before": 1, "fault": SECONDS, "after": 0, "decay": 0}
    phases = [text for name, seconds in lengths.items() for text in ("--phase", f"{name}={seconds:g}")]
    command = [sys.executable, "-m", "failwhale", "load", "run", "plateau", "--of-knee", str(OF_KNEE), *phases, "--json"]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def watched(lab: Lab, home: Home, load: subprocess.Popen[str]) -> Iterator[Look]:
    """A look every two seconds while the load runs."""
    prometheus = Prometheus(lab.prometheus_url)
    while load.poll() is None:
        began, running = time.monotonic(), marks.components(home.path)
        memory = {component.name: soaking.private_mib(running[component.name].pid) for component in lab.components}
        yield Look(memory, queues(prometheus), files(lab, home))
        time.sleep(max(0.0, began + LOOK_EVERY_S - time.monotonic()))


def queues(prometheus: Prometheus) -> dict[str, float]:
    return {metric.name: sum(sample.value for sample in prometheus.instant(metric.name)) for metric in backlog.QUEUES}


def files(lab: Lab, home: Home) -> dict[str, float]:
    """Open files, connections of the pools among them, of every service."""
    running = marks.components(home.path)
    return {c.name: float(soaking.open_files(running[c.name].pid)) for c in lab.components if c.kind == "service"}
