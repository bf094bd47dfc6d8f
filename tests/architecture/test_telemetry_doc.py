"""docs/telemetry.md says what the contract says."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from reference_app.contract import metrics
from reference_app.contract.metrics import Metric
from reference_app.kit.home import REPOSITORY

SCRIPT = REPOSITORY / "scripts" / "telemetry_map.py"


@pytest.fixture
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("telemetry_map", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_telemetry_document_is_the_one_that_would_be_generated() -> None:
    """`make gen` writes it."""
    checked = subprocess.run([sys.executable, str(SCRIPT), "--check"], cwd=REPOSITORY, check=False)
    assert checked.returncode == 0


def test_a_document_that_lacks_a_metric_is_found_out(generator: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "telemetry.md"
    copy.write_text(generator.document().replace(metrics.POSTS.name, "failwhale_pots_total"))
    monkeypatch.setattr(generator, "DOCUMENT", copy)
    monkeypatch.setattr(sys, "argv", ["telemetry_map.py", "--check"])
    assert generator.main() == 1
    copy.write_text(generator.document())
    assert generator.main() == 0


def test_every_metric_of_the_contract_has_an_exporter(generator: ModuleType) -> None:
    exported = {metric for group in generator.EXPORTERS.values() for metric in group}
    assert {value for value in vars(metrics).values() if isinstance(value, Metric)} == exported


def test_names_follow_the_conventions() -> None:
    for metric in (value for value in vars(metrics).values() if isinstance(value, Metric)):
        assert metric.name.endswith("_total") == (metric.type == "counter"), metric
        assert metric.type != "histogram" or metric.name.endswith("_seconds"), metric
        assert metric.help.endswith("."), f"{metric.name} has no sentence"
