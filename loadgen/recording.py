"""From the files of a run directory to its report, and from the name of a run to its directory."""

from __future__ import annotations

from pathlib import Path

import msgspec

from loadgen import facts, history, plans, report, session
from loadgen.report import Report
from reference_app.kit import files
from reference_app.kit.home import Home

LATEST = "latest"


class NoHistoryError(Exception):
    """There is no such run, or it never sent anything."""


def report_of(run_dir: Path) -> Report:
    """Build the report of a load that has ended and keep it as `load/report.json`."""
    built = read(run_dir)
    files.write_json(run_dir / report.FILE, built)
    return built


def read(run_dir: Path) -> Report:
    """The report of a load that has ended, from what it recorded."""
    return report.build(plans.read(run_dir), facts.read(run_dir), history.read(run_dir / history.FILE))


def seconds_left(run_dir: Path, *, now: float) -> float:
    """How long its load may last still; 0 for one that wrote how it fared, or was reported. Raises what reading its plan and facts does."""
    plan = plans.read(run_dir)
    over = facts.read(run_dir) is not None or (run_dir / report.FILE).exists()
    return 0.0 if over else max(0.0, plan.t0 + plan.duration + plans.DRAIN_S - now)


def under_way(home: Home, *, now: float) -> tuple[str, float] | None:
    """The newest load without a drill, and how many seconds it may last still; None when it is over, or was too late to begin."""
    newest = max(home.runs.glob("*-load-*"), default=None)
    try:
        if newest is None or not (left := seconds_left(newest, now=now)):
            return None
        begun = (newest / history.FILE).exists() or now < plans.read(newest).t0 + session.LATE_MAX_S
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return (newest.name, left) if begun else None


def directory(home: Home, run_id: str) -> Path:
    """The directory of a run below the home, or of the latest. Raises NoHistoryError when it holds no history."""
    recorded = sorted(path.parents[1] for path in home.runs.glob(f"*/{history.FILE}"))
    if not recorded:
        raise NoHistoryError(f"no run below {home.runs} has a history: `failwhale drill` or `failwhale load run` records one")
    chosen = recorded[-1] if run_id == LATEST else home.runs / run_id
    if chosen not in recorded:
        raise NoHistoryError(f"no run {run_id!r} with a history below {home.runs}; the latest is {recorded[-1].name}")
    return chosen
