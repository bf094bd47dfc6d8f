"""The charts of one run on the console: those of its postmortem, drawn from the run directory. Pure."""

from __future__ import annotations

import altair as alt

from dashboards.console.data import Run
from postmortems import charts, timeline
from postmortems.charts import Scale
from reference_app.query.prometheus import AlertSpan


def of_run(run: Run, *, latency_scale: Scale) -> dict[str, alt.LayerChart]:
    """Every chart by its name; none without a plan or a load report."""
    if run.plan is None or run.report is None:
        return {}
    return charts.all_charts(run.report.series, charts.marks(run.plan, run.events, _spans(run)), latency_scale=latency_scale)


def _spans(run: Run) -> list[AlertSpan]:
    """Alerts with their times; the result gives them relative to the injection, so without one they cannot be placed."""
    injected_at, _ = timeline.fault_span(run.events)
    if injected_at is None or run.result.alerts is None:
        return []
    return [
        AlertSpan(
            fired.name,
            {"component": fired.component or "", "slo": fired.slo or "", "severity": fired.severity},
            injected_at + fired.after_s,
            None if fired.resolved_s is None else injected_at + fired.resolved_s,
        )
        for fired in run.result.alerts.fired
        if fired.after_s is not None
    ]
