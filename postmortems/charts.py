"""Charts of one run as Vega-Lite, the fault as a band and the alerts as rules on each of them. Pure: rows in, specification out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt
import msgspec

from chaos.events import Event
from loadgen.series import Second
from postmortems import timeline
from reference_app.contract.plan import Phase, Plan
from reference_app.query.prometheus import AlertSpan

Scale = Literal["linear", "log"]

OFFERED, ANSWERED, COMPLETE, LATENCY, POSTS = "#8c939e", "#2f6fde", "#14866d", "#8a4fbf", "#b3641b"
FAULT, PAGE, TICKET = "#d1495b", "#c81e3a", "#d98e04"
HEIGHT = 230
NAMED_FROM = 0.08
"""Shorter phases, as a share of the load, are marked and not named: the names would overlap."""


@dataclass(frozen=True)
class AlertMark:
    """An alert that fired, `subject` is what it is about; times in load seconds, `resolved_at` None while it still fires."""

    name: str
    subject: str
    severity: str
    fired_at: float
    resolved_at: float | None


@dataclass(frozen=True)
class Marks:
    """What every chart of a run carries, in load seconds. `fault` is None when none was injected."""

    phases: tuple[Phase, ...]
    fault: tuple[float, float] | None
    alerts: tuple[AlertMark, ...]

    @property
    def end(self) -> float:
        return self.phases[-1].end


NAMES = ("requests", "complete", "latency", "posts")


def marks(plan: Plan, events: Sequence[Event], alerts: Iterable[AlertSpan]) -> Marks:
    """The marks of a run; a fault that was not undone lasts to the end of the load."""
    injected_at, undone_at = timeline.fault_span(events)
    end = plan.duration if undone_at is None else _load_second(undone_at, plan.t0)
    fault = None if injected_at is None else (_load_second(injected_at, plan.t0), end)
    return Marks(plan.phases, fault, tuple(_mark(span, plan.t0) for span in alerts))


def _mark(span: AlertSpan, t0: float) -> AlertMark:
    resolved_at = None if span.resolved_at is None else _load_second(span.resolved_at, t0)
    return AlertMark(span.name, timeline.subject(span), span.labels.get("severity", ""), _load_second(span.fired_at, t0), resolved_at)


def _load_second(at: float, t0: float) -> float:
    return round(at - t0, 2)


def all_charts(seconds: Sequence[Second], marks: Marks, *, latency_scale: Scale = "log") -> dict[str, alt.LayerChart]:
    """Every chart by its name."""
    drawn = (requests(seconds, marks), complete(seconds, marks), latency(seconds, marks, scale=latency_scale), posts(seconds, marks))
    return dict(zip(NAMES, drawn, strict=True))


def requests(seconds: Sequence[Second], marks: Marks) -> alt.LayerChart:
    """Requests that were due, against those answered as wanted."""
    rows = [
        {"t": s.t, "what": what, "value": value}
        for s in seconds
        for what, value in (("offered", s.offered), ("answered", s.offered - s.errors))
    ]
    colours = alt.Scale(domain=["offered", "answered"], range=[OFFERED, ANSWERED])
    colour = alt.Color("what", type="nominal", title=None, scale=colours, legend=None)
    lines = _base(rows, marks).mark_line(interpolate="step-after", strokeWidth=1.8).encode(y=_y("requests/s"), color=colour)
    return _layered("Requests per second: offered (grey), answered as wanted (blue)", lines, marks)


def complete(seconds: Sequence[Second], marks: Marks) -> alt.LayerChart:
    """Share of the served home pages from which nothing was dropped; seconds without a page are gaps."""
    rows = [{"t": s.t, "value": s.complete / s.good if s.good else None} for s in seconds]
    axis = _y("complete pages", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1]))
    return _layered("Complete home pages", _line(rows, marks, COMPLETE).encode(y=axis), marks)


def latency(seconds: Sequence[Second], marks: Marks, *, scale: Scale = "log") -> alt.LayerChart:
    """99th percentile from the intended start; a request that nobody saw the answer of counts as the client's timeout."""
    rows = [{"t": s.t, "value": s.p99_ms} for s in seconds]
    ticks = alt.Axis(values=[1, 10, 100, 1000, 10_000]) if scale == "log" else alt.Axis(tickCount=5)
    known = any(s.p99_ms is not None for s in seconds)
    axis = _y("p99, ms", scale=alt.Scale(type=scale, nice=True) if known else alt.Scale(domain=[0, 1000]), axis=ticks)
    title = f"99th percentile of latency{'' if known else ': not available, the load is invalid'}"
    return _layered(title, _line(rows, marks, LATENCY).encode(y=axis), marks)


def posts(seconds: Sequence[Second], marks: Marks) -> alt.LayerChart:
    """Posts that were acknowledged, by the second in which they were due."""
    rows = [{"t": s.t, "value": s.posts_acknowledged} for s in seconds]
    return _layered("Acknowledged posts per second", _line(rows, marks, POSTS).encode(y=_y("posts/s")), marks)


def _y(title: str, **options: Any) -> alt.Y:
    return alt.Y("value", type="quantitative", title=title, **options)


def _x(marks: Marks, field: str = "t") -> alt.X:
    return alt.X(
        field, type="quantitative", title="load seconds", scale=alt.Scale(domain=[0, marks.end], nice=False), axis=alt.Axis(grid=False)
    )


def _tips(*fields: str) -> list[alt.Tooltip]:
    words = ("what", "phase", "alert", "about", "severity")
    return [alt.Tooltip(field, type="nominal" if field in words else "quantitative") for field in fields]


def _base(rows: list[dict[str, Any]], marks: Marks) -> alt.Chart:
    tooltip = [alt.Tooltip("t", type="quantitative", title="load second"), alt.Tooltip("value", type="quantitative", format=",.4~g")]
    return alt.Chart(alt.InlineData(values=rows)).encode(x=_x(marks), tooltip=tooltip)


def _line(rows: list[dict[str, Any]], marks: Marks, colour: str) -> alt.Chart:
    line: alt.Chart = _base(rows, marks).mark_line(interpolate="step-after", strokeWidth=1.8, color=colour)
    return line


def _layered(title: str, lines: alt.Chart, marks: Marks) -> alt.LayerChart:
    heading = alt.TitleParams(title, anchor="start", fontSize=13, offset=14)
    return alt.LayerChart(layer=[*behind(marks), lines, *_alerts(marks)]).properties(title=heading, height=HEIGHT, width="container")


def behind(marks: Marks) -> list[alt.Chart]:
    """The fault as a band and the phases by name, to lay lines of one's own upon."""
    return [*_band(marks), *_phases(marks)]


def _band(marks: Marks) -> list[alt.Chart]:
    if marks.fault is None:
        return []
    rows = [{"start": marks.fault[0], "end": marks.fault[1], "what": "fault in force"}]
    band = alt.Chart(alt.InlineData(values=rows), name="fault").mark_rect(opacity=0.13, color=FAULT)
    return [band.encode(x=_x(marks, "start"), x2=alt.X2("end"), tooltip=_tips("what", "start", "end"))]


def _phases(marks: Marks) -> list[alt.Chart]:
    long = {phase.name for phase in marks.phases if phase.end - phase.start >= NAMED_FROM * marks.end}
    rows = [{"t": p.start, "phase": p.name, "end": p.end, "label": p.name if p.name in long else ""} for p in marks.phases]
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=_x(marks), tooltip=_tips("phase", "t", "end"))
    names = base.mark_text(align="left", baseline="bottom", dx=2, dy=-3, fontSize=10, color=OFFERED).encode(
        y=alt.value(0), text=alt.Text("label", type="nominal")
    )
    return [base.mark_rule(color=OFFERED, opacity=0.35, strokeDash=[1, 3]), names]


def _alerts(marks: Marks) -> list[alt.Chart]:
    if not marks.alerts:
        return []
    rows = [
        {"alert": a.name, "about": a.subject, "severity": a.severity, "fired": a.fired_at, "resolved": a.resolved_at} for a in marks.alerts
    ]
    colour = alt.condition("datum.severity == 'page'", alt.value(PAGE), alt.value(TICKET))
    rules = alt.Chart(alt.InlineData(values=rows), name="alerts").mark_rule(strokeWidth=1.4, strokeDash=[5, 3])
    return [rules.encode(x=_x(marks, "fired"), color=colour, tooltip=_tips("alert", "about", "severity", "fired", "resolved"))]


def data_of(specification: bytes | str) -> list[bytes]:
    """The tables that a Vega-Lite specification draws, in a canonical order. Raises ValueError when it is not JSON."""
    try:
        document = msgspec.json.decode(specification)
    except msgspec.DecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from error
    return sorted(msgspec.json.encode(rows, order="deterministic") for rows in document.get("datasets", {}).values())
