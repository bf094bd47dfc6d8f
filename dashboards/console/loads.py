"""Loads as the Load page shows them: what a preset plans, second by second, and what a recorded load offered of it. Charts are pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import msgspec

from dashboards.console.draw import units
from loadgen import report, validity
from loadgen.model import presets
from loadgen.model.presets import UnknownPresetError
from loadgen.report import Load, Report
from postmortems import charts
from postmortems.charts import Marks
from reference_app.contract import plan as plans
from reference_app.contract import topology
from reference_app.contract.plan import Phase, Plan
from reference_app.kit.home import Home

READS, POSTS, PLANNED = "#2f6fde", "#b3641b", "#d1495b"
HEIGHT = 270


@dataclass(frozen=True)
class Recorded:
    """A run that sent something. `report` is None while it runs, or when it was cut off before it could be judged."""

    plan: Plan
    report: Report | None


@dataclass(frozen=True)
class Expected:
    """Arrivals that a plan has in the second that begins at `t`."""

    t: int
    reads: float
    posts: float


def ids(home: Home) -> list[str]:
    """Runs with the report of a load, newest first."""
    return sorted((path.parents[1].name for path in home.runs.glob(f"*/{report.FILE}")), reverse=True)


def recorded(home: Home, run_id: str) -> Recorded | None:
    """One of them; None when it cannot be read."""
    run_dir = home.runs / run_id
    try:
        plan = msgspec.json.decode((run_dir / plans.FILE).read_bytes(), type=Plan)
        path = run_dir / report.FILE
        return Recorded(plan, msgspec.json.decode(path.read_bytes(), type=Report) if path.exists() else None)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def running(home: Home, now: float) -> Plan | None:
    """The newest load by itself whose time is not over."""
    newest = max(home.runs.glob("*-load-*"), default=None)
    found = recorded(home, newest.name) if newest else None
    return found.plan if found and found.report is None and now < found.plan.t0 + found.plan.duration else None


def expected(preset: str, phases: tuple[Phase, ...], share: float) -> list[Expected]:
    """What the preset plans over these phases; nothing for one that is gone, such as a file that was replayed."""
    try:
        wanted = presets.named(preset).scaled(share)
        reads, posts = wanted.reads.over(phases), wanted.posts.over(phases)
    except (UnknownPresetError, ValueError):
        return []
    return [Expected(t, reads.expected(t, t + 1), posts.expected(t, t + 1)) for t in range(int(phases[-1].end))]


def expected_of(plan: Plan) -> list[Expected]:
    """What a plan has, at the share of the preset that was sent."""
    return expected(plan.preset, plan.phases, topology.load_of(plan.topology) if plan.load is None else plan.load)


def planned(seconds: Sequence[Expected], phases: tuple[Phase, ...]) -> alt.LayerChart:
    """Arrivals a second, reads and posts."""
    rows = [{"t": s.t, "what": what, "value": value} for s in seconds for what, value in (("reads", s.reads), ("posts", s.posts))]
    return _layered("Planned arrivals per second", rows, {"reads": READS, "posts": POSTS}, Marks(phases, None, ()))


def offered(found: Recorded, marks: Marks) -> alt.LayerChart:
    """What was sent against what was planned: requests beyond the plan are retries and reactions."""
    seconds = found.report.series if found.report else []
    rows: list[dict[str, Any]] = [{"t": s.t, "what": "offered", "value": s.offered} for s in seconds]
    rows += [{"t": s.t, "what": "planned", "value": s.reads + s.posts} for s in expected_of(found.plan)]
    return _layered("Requests per second: planned and offered", rows, {"planned": PLANNED, "offered": READS}, marks)


def headline(load: Load) -> dict[str, str]:
    """What decides whether the measurement may be believed, then what was measured."""
    return {
        "Sent of planned": f"{units.count(load.sent)} of {units.count(load.planned)}",
        "Dropped": units.count(load.dropped),
        f"Lag p99 (max {validity.LAG_P99_MAX_MS:g} ms)": units.seconds(None if load.lag_p99_ms is None else load.lag_p99_ms / 1000),
        f"Generator CPU (max {validity.CPU_MAX:.0%})": units.share(load.cpu_peak),
        "Latency p50": units.seconds(None if load.latency_ms.p50 is None else load.latency_ms.p50 / 1000),
        "Latency p99": units.seconds(None if load.latency_ms.p99 is None else load.latency_ms.p99 / 1000),
    }


def phase_rows(load: Load) -> Iterator[dict[str, Any]]:
    """What the clients saw, phase by phase."""
    for name, phase in load.phases.items():
        times = phase.requests.latency_ms
        yield {
            "phase": name, "requests": phase.requests.sent, "errors": phase.requests.errors, "pages complete": phase.pages_complete,
            "pages partial": phase.pages_partial, "p50 ms": times.p50, "p99 ms": times.p99,
        }  # fmt: skip


def slow_rows(load: Load) -> Iterator[dict[str, Any]]:
    """The slowest requests with their traces."""
    for one in load.slowest:
        yield {
            "second": one.due, "phase": one.phase, "what": one.op, "time": f"{'at least ' if one.error else ''}{one.response_ms:,.0f} ms",
            "answer": one.error or str(one.status), "trace": one.trace_id,
        }  # fmt: skip


def _layered(title: str, rows: list[dict[str, Any]], colours: dict[str, str], marks: Marks) -> alt.LayerChart:
    x = alt.X("t", type="quantitative", title="load seconds", scale=alt.Scale(domain=[0, marks.end], nice=False), axis=alt.Axis(grid=False))
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    lines = alt.Chart(alt.InlineData(values=rows)).mark_line(interpolate="step-after", strokeWidth=1.6)
    lines = lines.encode(
        x=x, y=alt.Y("value", type="quantitative", title="per second"),
        color=alt.Color("what", type="nominal", scale=scale, legend=alt.Legend(title=None, orient="top")),
        tooltip=[alt.Tooltip("what", type="nominal"), alt.Tooltip("t", type="quantitative"), alt.Tooltip("value", type="quantitative", format=",.1f")],
    )  # fmt: skip
    heading = alt.TitleParams(title, anchor="start", fontSize=13, offset=6)
    return alt.LayerChart(layer=[*charts.behind(marks), lines]).properties(title=heading, height=HEIGHT, width="container")
