"""Prometheus as its readers need it: typed samples, exact counts, alert spans. NaN and infinities are dropped: they are not measurements."""

from __future__ import annotations

import math
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import httpx
import msgspec

Points = list[tuple[float, float]]

EVALUATION_S = 1.0
"""The lab evaluates its rules each second."""
POINTS_AT_ONCE = 10_000
"""Prometheus refuses more than 11,000 of a series."""
BRIDGED = 2
"""Evaluations apart at most, so that a firing alert that misses one is still one span."""
WATCHDOG = "Watchdog"
"""Fires always, so that its absence is noticed."""
TRACE_ID = "trace_id"
"""Label of an exemplar."""
LOOKBACK_S = 300.0
"""How long Prometheus itself takes an older sample for current."""


class PrometheusUnreachableError(Exception):
    """No answer: it is down, or the address is wrong."""


class QueryRefusedError(Exception):
    """Prometheus answered that it cannot evaluate the query."""


@dataclass(frozen=True)
class Sample:
    """`at` is Unix seconds."""

    labels: dict[str, str]
    at: float
    value: float


@dataclass(frozen=True)
class Series:
    """`points` are (Unix seconds, value), oldest first."""

    labels: dict[str, str]
    points: Points


@dataclass(frozen=True)
class Exemplar:
    """One observation that a histogram kept with the trace it belongs to. `series` are the labels of its bucket, `value` what was observed."""

    series: dict[str, str]
    trace_id: str
    at: float
    value: float


@dataclass(frozen=True)
class ActiveAlert:
    """`state` is pending or firing; `labels` are without the name."""

    name: str
    labels: dict[str, str]
    state: str
    active_at: float


@dataclass(frozen=True)
class AlertSpan:
    """A stretch of firing. `resolved_at` is the first evaluation that no longer fired, None when it still fires at the end."""

    name: str
    labels: dict[str, str]
    fired_at: float
    resolved_at: float | None


class _Row(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str] | None = None
    values: list[tuple[float, str]] = msgspec.field(default_factory=list)


class _Result(msgspec.Struct):
    result: list[_Row]


class _Kept(msgspec.Struct):
    labels: dict[str, str]
    value: str
    timestamp: float


class _Exemplars(msgspec.Struct):
    seriesLabels: dict[str, str]  # noqa: N815  (the API's name)
    exemplars: list[_Kept]


class _Alert(msgspec.Struct):
    labels: dict[str, str]
    state: str
    activeAt: datetime  # noqa: N815  (the API's name)


class _Alerts(msgspec.Struct):
    alerts: list[_Alert]


class _Answer(msgspec.Struct):
    status: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: str = ""


class Prometheus:
    """A reader of one server that evaluates its rules every `evaluation_s`, asked straight: proxies that the environment names are not for it.

    Every method raises PrometheusUnreachableError or QueryRefusedError.
    """

    def __init__(self, url: str, timeout_s: float = 5, *, evaluation_s: float = EVALUATION_S) -> None:
        self._url = url.rstrip("/")
        self._timeout_s, self._evaluation_s = timeout_s, evaluation_s
        self._tls = ssl.create_default_context()

    def instant(self, query: str, at: float | None = None) -> list[Sample]:
        """Values of an expression at one moment, by default now."""
        rows = self._rows("query", query=query, time=at)
        return [Sample(row.metric, when, value) for row in rows if row.value for when, value in _finite([row.value])]

    def range(self, query: str, start: float, end: float, step: float = 1) -> list[Series]:
        """Values of an expression at start, start + step, ... end."""
        found: dict[tuple[tuple[str, str], ...], Series] = {}
        for first in range(0, int((end - start) / step) + 1, POINTS_AT_ONCE):
            last = min(end, start + (first + POINTS_AT_ONCE - 1) * step)
            for row in self._rows("query_range", query=query, start=start + first * step, end=last, step=step):
                found.setdefault(tuple(sorted(row.metric.items())), Series(row.metric, [])).points.extend(_finite(row.values))
        return list(found.values())

    def raw(self, selector: str, start: float, end: float) -> list[Series]:
        """Samples as they were scraped or evaluated in [start, end], with their own times."""
        milliseconds = max(1, round((end - start) * 1000))
        rows = self._rows("query", query=f"{selector}[{milliseconds}ms]", time=end)
        return [Series(row.metric, _finite(row.values)) for row in rows]

    def increase(self, selector: str, start: float, end: float) -> float:
        """Events that a counter's series counted in [start, end]: raw differences, summed; resets handled, nothing extrapolated.

        A series counts from its last sample before `start`; one that had none was born in the window and counts from zero
        (a status code that was never returned before has no series).
        """
        return sum(increase_of(series.points, start) for series in self.raw(selector, start - LOOKBACK_S, end))

    def exemplars(self, selector: str, start: float, end: float) -> list[Exemplar]:
        """Observations in [start, end] of a histogram's buckets that name their trace, slowest first. Prometheus keeps the newest only."""
        answer = msgspec.json.decode(self._get("query_exemplars", query=selector, start=start, end=end), type=list[_Exemplars])
        found = [
            Exemplar(series.seriesLabels, kept.labels[TRACE_ID], kept.timestamp, float(kept.value))
            for series in answer
            for kept in series.exemplars
            if TRACE_ID in kept.labels
        ]
        return sorted(found, key=lambda exemplar: exemplar.value, reverse=True)

    def active_alerts(self) -> list[ActiveAlert]:
        """Alerts that are pending or firing now, without the Watchdog."""
        answer = msgspec.json.decode(self._get("alerts"), type=_Alerts)
        active = (ActiveAlert(*_name_and_labels(a.labels), a.state, a.activeAt.timestamp()) for a in answer.alerts)
        return [alert for alert in active if alert.name != WATCHDOG]

    def alert_spans(self, start: float, end: float) -> list[AlertSpan]:
        """What fired in [start, end] (`end` not in the future), oldest first, without the Watchdog.

        A span that began earlier begins at `start`.
        """
        firing = self.raw(f'ALERTS{{alertstate="firing",alertname!="{WATCHDOG}"}}', start, end)
        found = [
            AlertSpan(*_name_and_labels(series.labels), *span)
            for series in firing
            for span in spans([at for at, _ in series.points], end, every=self._evaluation_s)
        ]
        return sorted(found, key=lambda span: (span.fired_at, span.name))

    def _rows(self, endpoint: str, **parameters: str | float | None) -> list[_Row]:
        return msgspec.json.decode(self._get(endpoint, **parameters), type=_Result).result

    def _get(self, endpoint: str, **parameters: str | float | None) -> msgspec.Raw:
        known = {name: value for name, value in parameters.items() if value is not None}
        url = f"{self._url}/api/v1/{endpoint}"
        try:
            response = httpx.get(url, params=known, timeout=self._timeout_s, verify=self._tls, trust_env=False)
            answer = msgspec.json.decode(response.content, type=_Answer)
        except httpx.HTTPError as error:
            raise PrometheusUnreachableError(f"Prometheus at {self._url} did not answer ({_reason(error)}): is the lab up?") from error
        except msgspec.DecodeError as error:
            raise PrometheusUnreachableError(f"what answers at {self._url} is not Prometheus ({error}): check the port") from error
        if answer.status != "success":
            raise QueryRefusedError(f"Prometheus refused {known.get('query', endpoint)!r}: {answer.error}")
        return answer.data


def increase_of(points: Points, start: float) -> float:
    """Growth of one counter series since `start`; a value below its predecessor is a restart from zero."""
    before = [value for at, value in points if at <= start]
    values = [before[-1] if before else 0.0, *(value for at, value in points if at > start)]
    return sum(later - earlier if later >= earlier else later for earlier, later in pairwise(values))


def spans(times: Iterable[float], end: float, *, every: float = EVALUATION_S) -> Iterator[tuple[float, float | None]]:
    """Group evaluations that fired, one `every` so many seconds, into (first, resolved) stretches."""
    ordered = sorted(times)
    if not ordered:
        return
    first = ordered[0]
    for earlier, later in pairwise([*ordered, math.inf]):
        if later - earlier > BRIDGED * every:
            still_firing = later == math.inf and end - earlier <= BRIDGED * every
            yield first, None if still_firing else earlier + every
            first = later


def _finite(values: list[tuple[float, str]]) -> Points:
    return [(at, float(value)) for at, value in values if math.isfinite(float(value))]


def _name_and_labels(labels: dict[str, str]) -> tuple[str, dict[str, str]]:
    internal = ("alertname", "alertstate", "__name__")
    return labels["alertname"], {name: value for name, value in labels.items() if name not in internal}


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
