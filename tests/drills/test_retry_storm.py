"""A failure that its trigger need not hold up: with naive retries service does not come back, with a retry budget it does (Bronson et al., 2021)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chaos import aftermath
from loadgen import report
from loadgen.report import Report
from reference_app.contract import plan
from reference_app.contract.plan import Plan
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.verify, pytest.mark.timeout(500)]


def goodput_30_s_later(run_dir: Path) -> float | None:
    recorded = msgspec.json.decode((run_dir / report.FILE).read_bytes(), type=Report)
    return aftermath.goodput_ratio(recorded.series, msgspec.json.decode((run_dir / plan.FILE).read_bytes(), type=Plan))


@pytest.mark.parametrize(
    ("drill", "verdict", "low", "high"), [("retry-storm", "deviated", 0.0, 0.5), ("retry-storm-budgeted", "passed", 0.95, 1.1)]
)
def test_thirty_seconds_after_its_trigger_a_storm_goes_on_unless_retries_have_a_budget(
    lab: Lab, home: Home, failwhale: Any, drill: str, verdict: str, low: float, high: float
) -> None:
    done = failwhale("drill", drill, "--json", timeout_s=400)
    result = json.loads(done.stdout)
    assert (result["verdict"], done.returncode) == (verdict, 0), (lab.topology, result["reasons"])
    goodput = goodput_30_s_later(home.runs / result["run_id"])
    assert goodput is not None
    assert low <= goodput < high
