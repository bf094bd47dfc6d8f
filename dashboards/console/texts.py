"""Rows and words of the Drills page, without Streamlit. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from chaos.alertscore import Score
from chaos.audit.model import Audit
from chaos.clocks import Clocks
from dashboards.console.data import Listed, Result
from dashboards.console.draw import units
from loadgen.report import PhaseReport
from postmortems import render, wording
from postmortems.model import Figure

Colour = Literal["green", "orange", "red", "gray"]

NOT_AVAILABLE = wording.NOT_AVAILABLE
_AUDITED = {
    "attempted": "posts attempted",
    "acknowledged": "posts acknowledged",
    "indeterminate": "outcome never known",
    "lost": "acknowledged and lost",
    "duplicated": "visible twice",
    "duplicated_transient": "twice for a while, then reconciled",
    "missing_from_timelines": "missing from a follower's timeline",
    "timelines_checked": "timelines checked",
    "non_unique_ids": "ids given twice",
}


def list_row(listed: Listed) -> dict[str, Any]:
    """A row of the list of runs."""
    result = listed.result
    if result is None:
        return {"started": None, "drill": listed.run_id, "verdict": listed.problem}
    pages = None if result.alerts is None else sum(fired.severity == "page" for fired in result.alerts.fired)
    return {
        "started": started(result),
        "drill": result.drill,
        "verdict": result.verdict,
        "expected": result.expected_verdict,
        "acknowledged": getattr(result.audit, "acknowledged", None),
        "lost": getattr(result.audit, "lost", None),
        "duplicated": getattr(result.audit, "duplicated", None),
        "pages fired": pages,
        "run": result.run_id,
    }


def started(result: Result) -> datetime:
    """When the drill began, UTC."""
    return datetime.fromisoformat(result.started_at)


def option(result: Result) -> str:
    """A run in a list to choose from."""
    return f"{started(result):%Y-%m-%d %H:%M:%S} UTC · {result.drill} · {result.verdict}"


def verdict_colour(verdict: str | None, expected: str) -> Colour:
    """Green as predicted, orange when it could not be judged, red when it differs from the prediction."""
    if verdict == expected:
        return "green"
    return "orange" if verdict in (None, "inconclusive", "interrupted", "skipped") else "red"


def audit_rows(audit: Audit) -> list[dict[str, str]]:
    """Findings of the audit with their counts."""
    return [{"what": title, "count": wording.text(Figure(getattr(audit, name), "count", ""))} for name, title in _AUDITED.items()]


def clock_rows(clocks: Clocks) -> list[dict[str, str]]:
    """Clocks with what they mean."""
    return [{"clock": clock.title, "value": seconds(getattr(clocks, clock.name)), "meaning": clock.meaning} for clock in render.CLOCKS]


def alert_rows(score: Score) -> list[dict[str, str]]:
    """What fired, judged, then what should have fired."""
    return [*_fired(score), *_missed(score)]


def seconds(value: float | None) -> str:
    """`3.6 s`, or "not available"."""
    return wording.text(Figure(value, "seconds", ""))


def complete_pages(phase: PhaseReport | None) -> str:
    """`98.2 %` of the home pages that were served, or "not available" when there were none."""
    served = phase.pages_complete + phase.pages_partial if phase else 0
    return units.share(phase.pages_complete / served) if phase and served else NOT_AVAILABLE


def _fired(score: Score) -> Iterator[dict[str, str]]:
    for fired in score.fired:
        resolved = "still firing" if fired.resolved_s is None and fired.after_s is not None else seconds(fired.resolved_s)
        judged = "false positive" if fired in score.false_positives else "told the truth"
        yield {
            "alert": fired.name, "for": fired.slo or fired.component or "", "severity": fired.severity,
            "after injection": seconds(fired.after_s), "resolved": resolved, "judged": judged,
        }  # fmt: skip


def _missed(score: Score) -> Iterator[dict[str, str]]:
    for alert in score.missed:
        yield {
            "alert": alert.name, "for": alert.slo or alert.component or "", "severity": alert.severity,
            "after injection": "", "resolved": "", "judged": "expected, did not fire",
        }  # fmt: skip
