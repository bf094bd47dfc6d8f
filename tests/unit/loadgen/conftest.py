"""Makers of planted loads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loadgen.facts import Facts
from loadgen.history import Operation
from reference_app.contract import topology
from reference_app.contract.plan import Plan, phases
from reference_app.contract.seed import Seed
from reference_app.kit import files
from reference_app.kit.home import Home

T0 = 1_790_000_000.0
GOOD_PAGE = Operation(
    n=1, op="home", user=1, target=0, due=0.0, invoked_at=T0, key="", text="", attempt=1, replay=False, type="ok", status=200,
    completed_at=T0, response_ms=5.0, service_ms=5.0, lag_ms=0.0, tweet_id="", partial=False, tweets=20, error="",
)  # fmt: skip
HEALTHY = Facts(
    run_id="r", planned=1000, sent=1000, dropped=0, retried=0, replayed=0, lag_p99_ms=4.0, cpu_mean=0.1, cpu_peak=0.2,
    stalls=0, longest_stall_ms=0.0, stopped_by="end", stopped_at=160.0,
)  # fmt: skip


@pytest.fixture(scope="session")
def plan() -> Plan:
    return Plan(
        "r", "", 1, "one that carries all of it", "goal", T0, phases(), inject=False, inject_at=70, undo_at=110, expected_verdict=""
    )


@pytest.fixture
def operation() -> Callable[..., Operation]:
    """A good home page at `due`, unless told otherwise."""
    return lambda **changes: replace(GOOD_PAGE, **changes)


@pytest.fixture
def facts() -> Callable[..., Facts]:
    """A healthy generator's facts, unless told otherwise."""
    return lambda **changes: replace(HEALTHY, **changes)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Of a small lab that is down and has people."""
    lab = topology.Lab(str(tmp_path), "small", 23900, topology.components(topology.SMALL, 23900), "key", "password")
    files.write_json(tmp_path / "lab.json", lab)
    files.write_json(tmp_path / "seed.json", Seed(50, 100, "synthetic", directed=True, top_followers=10, seeded_at=0.0))
    return Home(tmp_path)
