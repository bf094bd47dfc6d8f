"""What the console shows, read from files of finished runs. A part that did not run, or cannot be read, is None."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from chaos import events
from chaos.alertscore import Score
from chaos.audit.model import Audit
from chaos.clocks import Clocks
from chaos.comparison import Seen
from chaos.events import Event
from dashboards.console import incidents
from loadgen import report
from loadgen.report import Load, Report
from postmortems import store
from reference_app.contract import plan as plans
from reference_app.contract.plan import Plan
from reference_app.kit.home import Home

T = TypeVar("T")

RESULT = "result.json"


@dataclass(frozen=True)
class Result:
    """The parts of a drill's result that the console shows."""

    drill: str
    run_id: str
    started_at: str
    duration_s: float
    verdict: str
    expected_verdict: str
    reasons: tuple[str, ...]
    clocks: Clocks
    load: Load | None = None
    audit: Audit | None = None
    alerts: Score | None = None
    passes_with: str | None = None


@dataclass(frozen=True)
class Listed:
    """A run directory. `problem` says why there is no result."""

    run_id: str
    result: Result | None
    problem: str = ""


@dataclass(frozen=True)
class Run:
    """One run with everything that its charts need. `postmortem` is Markdown for readers."""

    result: Result
    plan: Plan | None
    report: Report | None
    events: tuple[Event, ...]
    postmortem: str | None
    postmortem_path: Path


def runs(home: Home) -> list[Listed]:
    """All run directories, newest first."""
    return latest(home, None)


def latest(home: Home, count: int | None) -> list[Listed]:
    """So many run directories, newest first."""
    found = sorted((path for path in home.runs.glob("*") if path.is_dir()), reverse=True)
    return [_listed(path) for path in found[:count]]


def compared(home: Home) -> list[Seen]:
    """The runs that can be compared, newest first; what another version left is none."""
    found = (_read(path / RESULT, Seen) for path in sorted(home.runs.glob("*"), reverse=True))
    return [seen for seen in found if seen is not None]


def run(home: Home, result: Result) -> Run:
    """One run in full."""
    run_dir, path = home.runs / result.run_id, home.incidents / result.run_id / store.POSTMORTEM
    text = path.read_text() if path.exists() else None
    return Run(
        result=result,
        plan=_read(run_dir / plans.FILE, Plan),
        report=_read(run_dir / report.FILE, Report),
        events=happened(run_dir),
        postmortem=None if text is None else incidents.readable(text),
        postmortem_path=path,
    )


def happened(run_dir: Path) -> tuple[Event, ...]:
    """What chaos did in a run; nothing where another version wrote that down."""
    try:
        return events.read(run_dir)
    except msgspec.DecodeError:
        return ()


def _listed(run_dir: Path) -> Listed:
    if not (run_dir / RESULT).exists():
        plan = _read(run_dir / plans.FILE, Plan)
        alone = plan is not None and not plan.drill
        return Listed(
            run_dir.name, None, "a load without a drill" if alone else "no result: it runs still, or it ended before it could be judged"
        )
    try:
        return Listed(run_dir.name, msgspec.json.decode((run_dir / RESULT).read_bytes(), type=Result))
    except msgspec.DecodeError as error:
        return Listed(run_dir.name, None, f"its {RESULT} cannot be read: {error}")


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):  # among runs may lie a file that is none
        return None
