"""From the files of a run directory to its report."""

from __future__ import annotations

from pathlib import Path

from loadgen import facts, history, plans, report
from loadgen.report import Report
from reference_app.kit import files


def report_of(run_dir: Path) -> Report:
    """Build the report of a load that has ended and keep it as `load/report.json`."""
    built = report.build(plans.read(run_dir), facts.read(run_dir), history.read(run_dir / history.FILE))
    files.write_json(run_dir / report.FILE, built)
    return built
