"""The report of a game day as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from failwhale.dayrecord import Drilled
from failwhale.dayreport import Drill, Report, Totals

FILE = "report.md"
UNKNOWN, NOT_DONE, UNPREDICTED = "-", "not done", " (!)"
COLUMNS = (
    "drill", "topology", "predicted", "verdict", "detected after", "recovered after the undo", "lost", "duplicated", "harm predicted",
    "harm measured",
)  # fmt: skip


def page(report: Report) -> str:
    """The whole page."""
    head = [f"# Game day: {report.title}", "", f"{_verdict(report)} {summary(report.totals)}", "", provenance(report), ""]
    if report.stopped and not report.complete:
        head += [f"It ended early: {report.stopped}. `failwhale gameday --continue {report.id}` goes on.", ""]
    return "\n".join([*head, *table(report.drills), "", *(line for drill in report.drills for line in _section(drill))])


def _verdict(report: Report) -> str:
    if report.ok:
        return "Every drill ended as predicted."
    if report.totals.as_predicted == report.totals.planned:
        return "**Every drill ended as predicted, and promises to users were broken.**"
    return "**Not every drill ended as predicted.**"


def table(drills: Sequence[Drill]) -> list[str]:
    """A row for each drill; what did not end as predicted is marked (!)."""
    return [_cells(COLUMNS), _cells(["---"] * len(COLUMNS)).replace(" ", ""), *(_row(drill) for drill in drills)]


def file_text(file: str) -> str:
    """A file outside the checkout is somebody's own: its name will do."""
    return Path(file).name if Path(file).is_absolute() else file


def provenance(report: Report) -> str:
    """When, for how long, of which file and code, on which machine."""
    machine = report.machine
    return (
        f"{report.started_at}, {report.duration_s / 60:.0f} minutes, seed {report.seed}, `{file_text(report.file)}`, commit {report.commit}; "
        f"{machine.cores} cores {machine.cpu}, {machine.memory_gib} GiB, Linux {machine.kernel}, Python {machine.python}. `{report.id}`"
    )


def summary(totals: Totals) -> str:
    """The totals in sentences."""
    return (
        f"{totals.done} of {_counted(totals.planned, 'drill')} {_were(totals.done)} done, {totals.as_predicted} ended as predicted. "
        f"Of {_counted(totals.acknowledged, 'acknowledged post')} in {_counted(totals.audits, 'audit')} "
        f"{totals.lost} {_were(totals.lost)} lost and {totals.duplicated} duplicated. "
        f"Alerts were expected of {_counted(totals.detectable, 'drill')}, of which {totals.detected} {_were(totals.detected)} detected; "
        f"{_counted(totals.missed_alerts, 'alert')} {_were(totals.missed_alerts)} missed, {totals.false_positives} not expected. "
        f"{_counted(totals.shams, 'sham twin')} fired {_counted(totals.sham_alerts, 'alert')}."
    )


def _counted(number: int, noun: str) -> str:
    """`1 alert`, `1,204 alerts`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _row(drill: Drill) -> str:
    verdict = f"{drill.verdict or NOT_DONE}{'' if drill.as_predicted else UNPREDICTED}"
    return _cells([drill.title, drill.topology, drill.expected_verdict, verdict, *_figures(drill.result)])


def _figures(result: Drilled | None) -> list[str]:
    if result is None:
        return [UNKNOWN] * 6
    clocks, audit, harm = result.clocks, result.audit, result.blast_radius
    return [
        *(_text(value, "{:.1f} s") for value in (clocks.ttd_s, clocks.recovery_after_undo_s)),
        *(_text(value, "{}") for value in ((audit.lost, audit.duplicated) if audit else (None, None))),
        *(_text(value, "{:.1%}") for value in ((harm.predicted, harm.measured) if harm else (None, None))),
    ]


def _section(drill: Drill) -> Iterator[str]:
    yield from (f"## {drill.number}. {drill.title}", "")
    result = drill.result
    if result is None:
        yield from (f"Predicted {drill.expected_verdict}; {NOT_DONE}.", "")
        return
    yield from (f"{result.verdict}, predicted {drill.expected_verdict}. {' '.join(result.reasons)}", "")
    yield from (f"- an attempt before: {attempt}" for attempt in drill.earlier)
    if not drill.unmet and drill.waited_s is not None:
        yield f"- begun when the lab was as before, after {drill.waited_s:g} s"
    yield from (f"- {line}" for line in (*_alerts(result), *_clocks(result), *_artifacts(result)))
    yield ""


def _alerts(result: Drilled) -> Iterator[str]:
    if result.alerts is None:
        return
    for fired in result.alerts.fired:
        when = "not after an injection" if fired.after_s is None else f"{fired.after_s:.1f} s after the injection"
        wanted = " (not expected)" if fired in result.alerts.false_positives else ""
        yield f"{fired.severity} {fired.name} ({fired.slo or fired.component}) {when}{wanted}"
    for missed in result.alerts.missed:
        yield f"missed: {missed.severity} {missed.name} ({missed.slo or missed.component or 'any'})"


def _clocks(result: Drilled) -> Iterator[str]:
    clocks = result.clocks
    named = {
        "detected": clocks.ttd_s, "absorbed": clocks.time_to_absorb_s, "recovered after the undo": clocks.recovery_after_undo_s,
        "drained after the undo": clocks.drained_after_undo_s,
    }  # fmt: skip
    if known := [f"{name} {value:.1f} s" for name, value in named.items() if value is not None]:
        yield ", ".join(known)


def _artifacts(result: Drilled) -> Iterator[str]:
    if result.run_id:
        yield f"run `{result.run_id}`"
    if result.artifacts and result.artifacts.postmortem:
        yield f"postmortem `{result.artifacts.postmortem}`"


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(value: float | None, form: str) -> str:
    return UNKNOWN if value is None else form.format(value)
