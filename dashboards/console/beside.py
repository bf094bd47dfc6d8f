"""Two runs beside one another: their charts on one clock, each with its phases and its fault as a band. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import altair as alt

from chaos import comparison
from chaos.comparison import Row, Seen
from dashboards.console.data import Run
from dashboards.console.draw import units
from loadgen.series import Second
from postmortems import charts
from postmortems.charts import Marks

FIRST, SECOND = "#8c939e", "#2f6fde"
HEIGHT = 270
FIGURES = {
    "good_pages_per_s": "good home pages a second", "deliveries_per_s": "deliveries a second", "completeness": "complete pages",
    "home_p50_ms": "home page, median", "home_p99_ms": "home page, p99", "post_p99_ms": "post, p99",
}  # fmt: skip
_DRAWN: dict[str, tuple[str, str, Callable[[Second], float | None]]] = {
    "answered": ("Answered as wanted", "requests/s", lambda second: second.offered - second.errors),
    "complete": ("Complete home pages", "share", lambda second: second.complete / second.good if second.good else None),
    "latency": ("99th percentile of latency", "ms", lambda second: second.p99_ms),
    "posts": ("Acknowledged posts", "posts/s", lambda second: second.posts_acknowledged),
}


def drawn(first: Run, second: Run) -> dict[str, alt.LayerChart]:
    """Every chart by its name; none when a run has no plan or no load report."""
    runs = [(name, run, _marks(run)) for name, run in (("first", first), ("second", second))]
    known = [(name, run.report.series, marks) for name, run, marks in runs if run.report is not None and marks is not None]
    if len(known) < len(runs):
        return {}
    return {
        name: _chart(title, unit, [(who, _values(seconds, of), marks) for who, seconds, marks in known])
        for name, (title, unit, of) in _DRAWN.items()
    }


def rows(compared: Iterable[Row]) -> list[dict[str, str]]:
    """The comparison as a table."""
    return [
        {
            "phase": row.phase, "figure": FIGURES.get(row.figure, row.figure), "first": _value(row.figure, row.first),
            "second": _value(row.figure, row.second), "change": units.NONE if row.change is None else f"{row.change:+.1%}",
            "judged": "" if row.beyond is None else f"beyond {comparison.TOLERANCE:.0%}" if row.beyond else "within",
        }
        for row in compared
    ]  # fmt: skip


def said(first: Seen, second: Seen) -> list[str]:
    """Whether the second is the drill of the first, its sham twin, and if so how steady it was."""
    if why := comparison.why_no_twins(second, first):
        return [f"They are not a sham twin (first) and its drill (second): {why}. Figures can be compared, a steady state not."]
    return list(comparison.steadiness(second, first))


def partner(chosen: Seen, among: Sequence[Seen]) -> str | None:
    """The run to compare one with: its sham twin, else the newest other run of that drill, else the newest other one."""
    others = [seen for seen in among if seen.run_id != chosen.run_id]
    twins = (seen for seen in others if not comparison.why_no_twins(chosen, seen))
    same = (seen for seen in others if seen.drill == chosen.drill)
    found = next(twins, None) or next(same, None) or next(iter(others), None)
    return found.run_id if found else None


def _marks(run: Run) -> Marks | None:
    return None if run.plan is None else charts.marks(run.plan, run.events, ())


def _values(seconds: Sequence[Second], of: Callable[[Second], float | None]) -> list[tuple[int, float | None]]:
    return [(second.t, of(second)) for second in seconds]


def _chart(title: str, unit: str, runs: list[tuple[str, list[tuple[int, float | None]], Marks]]) -> alt.LayerChart:
    end = max(marks.end for _, _, marks in runs)
    x = alt.X("t", type="quantitative", title="load seconds", scale=alt.Scale(domain=[0, end], nice=False), axis=alt.Axis(grid=False))
    colour = alt.Color(
        "run",
        type="nominal",
        scale=alt.Scale(domain=["first", "second"], range=[FIRST, SECOND]),
        legend=alt.Legend(title=None, orient="top"),
    )
    layers = [*_bands(runs, x), *_phases(runs[0][2], x), _lines(unit, runs, x).encode(color=colour)]
    heading = alt.TitleParams(title, anchor="start", fontSize=13, offset=6)
    return alt.LayerChart(layer=layers).properties(title=heading, height=HEIGHT, width="container")


def _lines(unit: str, runs: list[tuple[str, list[tuple[int, float | None]], Marks]], x: alt.X) -> alt.Chart:
    points = [{"t": t, "run": who, "value": value} for who, values, _ in runs for t, value in values]
    share: dict[str, Any] = {"axis": alt.Axis(format="%"), "scale": alt.Scale(domain=[0, 1])} if unit == "share" else {}
    lines: alt.Chart = _of(points).mark_line(interpolate="step-after", strokeWidth=1.6).encode(
        x=x, y=alt.Y("value", type="quantitative", title=None if unit == "share" else unit, **share),
        tooltip=[alt.Tooltip("run", type="nominal"), alt.Tooltip("t", type="quantitative"), alt.Tooltip("value", type="quantitative", format=",.4~g")],
    )  # fmt: skip
    return lines


def _bands(runs: list[tuple[str, list[tuple[int, float | None]], Marks]], x: alt.X) -> list[alt.Chart]:
    """The stretch of each run's fault; a sham has none."""
    spans = [{"run": who, "t": marks.fault[0], "end": marks.fault[1]} for who, _, marks in runs if marks.fault is not None]
    tips = [
        alt.Tooltip("run", type="nominal"),
        alt.Tooltip("t", type="quantitative", title="fault from"),
        alt.Tooltip("end", type="quantitative", title="to"),
    ]
    band = _of(spans, name="fault").mark_rect(opacity=0.11, color=charts.FAULT)
    return [band.encode(x=x, x2=alt.X2("end"), tooltip=tips)] if spans else []


def _phases(marks: Marks, x: alt.X) -> list[alt.Chart]:
    starts = _of([{"t": phase.start, "phase": phase.name} for phase in marks.phases])
    return [starts.mark_rule(color=FIRST, opacity=0.35, strokeDash=[1, 3]).encode(x=x, tooltip=[alt.Tooltip("phase", type="nominal")])]


def _of(values: list[dict[str, Any]], **options: Any) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=values), **options)


def _value(figure: str, value: float | None) -> str:
    if figure == "completeness":
        return units.share(value)
    return (
        units.seconds(None if value is None else value / 1000)
        if figure.endswith("_ms")
        else units.NONE
        if value is None
        else f"{value:,.1f}"
    )
