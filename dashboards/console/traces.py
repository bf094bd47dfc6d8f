"""Traces of one run or incident: the slowest, the failing, and those that the latency histograms kept as exemplars. DuckDB is loaded when it is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from postmortems import course
from postmortems.incidents import LiveIncident
from postmortems.model import Header
from reference_app.contract import metrics
from reference_app.contract.plan import Plan
from reference_app.contract.spans import Span
from reference_app.kit.home import Home, NoLabError
from reference_app.query.prometheus import Exemplar, Prometheus, PrometheusUnreachableError, QueryRefusedError

if TYPE_CHECKING:
    from reference_app.query.traces import TraceSummary

Choice = Literal["slowest", "failing", "exemplars"]

LIMIT = 15
AFTER_S = 30.0
"""Work of a run may end so long after its load."""
BEFORE_S = 60.0
"""Users may be harmed so long before the first alert tells of it."""
PATIENCE_S = 2.0


@dataclass(frozen=True)
class Found:
    """A trace that may be looked at. `spans` and `errors` are None for an exemplar: only its histogram is known."""

    trace_id: str
    name: str
    component: str
    at: float
    seconds: float
    spans: int | None = None
    errors: int | None = None


@dataclass(frozen=True)
class Stretch:
    """When something was, in Unix seconds, and what it is called."""

    what: Literal["run", "incident"]
    start: float
    end: float


class NoTracesError(Exception):
    """There is nothing to choose from; the message says why."""


def recorded(home: Home) -> bool:
    """Whether the collector has ever written a segment here."""
    return next(home.traces.glob("*.parquet"), None) is not None


def of_run(plan: Plan) -> Stretch:
    """While the run's load was on."""
    return Stretch("run", plan.t0, plan.t0 + plan.duration)


def of_live(incident: LiveIncident, now: float) -> Stretch:
    """From shortly before its first alert to the end of the last."""
    return Stretch("incident", incident.began_at - BEFORE_S, incident.resolved_at or now)


def of_recorded(header: Header) -> Stretch:
    """The same, of an incident without a drill: its evidence begins earlier."""
    began, ended = (datetime.fromisoformat(at).timestamp() for at in (header.started_at, header.ended_at))
    return Stretch("incident", began + course.LEAD_S - BEFORE_S, ended)


def within(home: Home, stretch: Stretch, choice: Choice) -> list[Found]:
    """Traces that began in that time. Raises NoTracesError when that cannot be known."""
    if choice == "exemplars":
        return list(_kept(_exemplars(home, stretch.start, stretch.end)))
    from reference_app.query.traces import Traces  # noqa: PLC0415 - DuckDB takes its time to load

    read = Traces(home.traces)
    ask = read.failing if choice == "failing" else read.slowest
    return [_found(summary) for summary in ask(since_s=stretch.start, until_s=stretch.end + AFTER_S, limit=LIMIT)]


def one(home: Home, trace_id: str) -> list[Span]:
    """All spans of a trace; none when it was not recorded. Raises ValueError for what is no trace id."""
    from reference_app.query.traces import Traces  # noqa: PLC0415

    return Traces(home.traces).by_id(trace_id)


def _exemplars(home: Home, start: float, end: float) -> list[Exemplar]:
    try:
        prometheus = Prometheus(home.lab().prometheus_url, PATIENCE_S)
        return prometheus.exemplars(f"{metrics.HTTP_SERVER.name}_bucket", start, end)
    except NoLabError as error:
        raise NoTracesError("Exemplars are kept by the Prometheus of a running lab, and there is none here.") from error
    except (PrometheusUnreachableError, QueryRefusedError) as error:
        raise NoTracesError(f"Exemplars are kept by Prometheus. {error}") from error


def _kept(exemplars: Iterable[Exemplar]) -> Iterator[Found]:
    """Each trace once, by its slowest observation."""
    seen: set[str] = set()
    for exemplar in exemplars:
        if exemplar.trace_id not in seen and len(seen) < LIMIT:
            seen.add(exemplar.trace_id)
            name = " ".join(exemplar.series.get(label, "") for label in ("http_request_method", "http_route"))
            yield Found(exemplar.trace_id, name, exemplar.series.get("component", ""), exemplar.at, exemplar.value)


def _found(summary: TraceSummary) -> Found:
    return Found(summary.trace_id, summary.root_name, summary.root_service, summary.start, summary.seconds, summary.spans, summary.errors)
