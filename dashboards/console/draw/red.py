"""Rate, errors and duration of each service over the last five minutes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dashboards.console.draw import markup, plot
from dashboards.console.draw.plot import Frame, Line, Plot
from dashboards.console.lab.sight import Signals
from dashboards.console.lab.signals import MEDIAN, STATUS, TAIL
from reference_app.contract.topology import SERVICES, Lab
from reference_app.query.prometheus import Points, Series

EDGE, FAN_OUT = "edge", "fanout"
WHAT = {EDGE: "requests; tells no durations", FAN_OUT: "tweets delivered"}


@dataclass(frozen=True)
class Row:
    """A service now, and its two charts. `errors` is a share of the rate; None where nothing was asked."""

    service: str
    what: str
    rate: float | None
    errors: float | None
    median: float | None
    tail: float | None
    traffic: Plot
    latency: Plot


def rows(lab: Lab, signals: Signals, frame: Frame) -> list[Row]:
    """A row for the edge, where there is one, and for each service of the lab in the order of the contract."""
    return [_row(service, signals, frame) for service in (EDGE, *SERVICES) if lab.group(service)]


def html(lab: Lab, signals: Signals, frame: Frame) -> str:
    """The rows as markup."""
    return markup.render("red", rows=rows(lab, signals, frame))


def latest(points: Points, frame: Frame) -> float | None:
    """The newest value, unless it is too old to be one of now."""
    return points[-1][1] if points and frame.end - points[-1][0] <= plot.GAP_S + 1 else None


def summed(series: Iterable[Series]) -> Points:
    """Several series as one."""
    totals: dict[float, float] = {}
    for one in series:
        for at, value in one.points:
            totals[at] = totals.get(at, 0) + value
    return sorted(totals.items())


def _row(service: str, signals: Signals, frame: Frame) -> Row:
    requests = [series for series in signals.requests if series.labels.get("service") == service]
    asked, failed = summed(requests), summed(series for series in requests if series.labels.get(STATUS, "").startswith("5"))
    median, tail = (_quantile(signals.latency, service, quantile) for quantile in (MEDIAN, TAIL))
    rate, wrong = latest(asked, frame), latest(failed, frame)
    return Row(
        service=service, what=WHAT.get(service, "requests"), rate=rate,
        errors=None if not rate else (wrong or 0) / rate, median=latest(median, frame), tail=latest(tail, frame),
        traffic=_traffic(service, asked, failed, frame), latency=_latency(service, median, tail, frame),
    )  # fmt: skip


def _traffic(service: str, asked: Points, failed: Points, frame: Frame) -> Plot:
    lines = (Line("rate", "fw-rate", asked), Line("errors", "fw-errors", [point for point in failed if point[1]], filled=True))
    scale = plot.from_zero(lines)
    return plot.plot(f"{service}: rate and errors", lines, frame, scale, top=f"{scale.top:g}/s")


def _latency(service: str, median: Points, tail: Points, frame: Frame) -> Plot:
    lines = (Line("p50", "fw-median", median, "ms", 1000), Line("p99", "fw-tail", tail, "ms", 1000))
    return plot.plot(f"{service}: duration", lines, frame, plot.LATENCY, top="5 s")


def _quantile(latency: Sequence[Series], service: str, quantile: float) -> Points:
    wanted = {"service": service, "quantile": str(quantile)}
    return next((series.points for series in latency if wanted.items() <= series.labels.items()), [])
