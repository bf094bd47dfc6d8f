"""Traces of one run: the slowest, the failing, and those that the latency histograms kept as exemplars. DuckDB is loaded when it is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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


class NoTracesError(Exception):
    """There is nothing to choose from; the message says why."""


def recorded(home: Home) -> bool:
    """Whether the collector has ever written a segment here."""
    return next(home.traces.glob("*.parquet"), None) is not None


def of_run(home: Home, plan: Plan, choice: Choice) -> list[Found]:
    """Traces that began while the run's load was on. Raises NoTracesError when that cannot be known."""
    start, end = plan.t0, plan.t0 + plan.duration
    if choice == "exemplars":
        return list(_kept(_exemplars(home, start, end)))
    from reference_app.query.traces import Traces  # noqa: PLC0415 - DuckDB takes its time to load

    read = Traces(home.traces)
    ask = read.failing if choice == "failing" else read.slowest
    return [_found(summary) for summary in ask(since_s=start, until_s=end + AFTER_S, limit=LIMIT)]


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
