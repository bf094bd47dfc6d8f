"""Signals as a snapshot holds them, for tests: levels before and after something was noticed."""

from __future__ import annotations

import numpy as np

from postmortems import whitelist
from postmortems.diagnosis.model import Series
from postmortems.diagnosis.moments import Moments
from reference_app.query import prometheus

NORMAL_S, ASKED_S = 40, 20
MOMENTS = Moments(np.arange(10.0, 10.0 + NORMAL_S), np.arange(60.0, 60.0 + ASKED_S))
NOTICED = 59


def gauge(before: float | None, after: float | None, **labels: str) -> prometheus.Series:
    """None where there was nothing."""
    values = [(float(second), before if second < NOTICED else after) for second in range(100)]
    return prometheus.Series(labels, [(at, value) for at, value in values if value is not None])


def counter(before: float, after: float, **labels: str) -> prometheus.Series:
    """Of what is counted per second; it is there since it counted for the first time."""
    points, count = [], 0.0
    for second in range(100):
        count += before if second < NOTICED else after
        if count:
            points.append((float(second), count))
    return prometheus.Series(labels, points)


def calls(
    caller: str, callee: str, *, per_s: tuple[float | None, float | None] = (20.0, 20.0), seconds: tuple[float | None, float | None] = (0.004, 0.004),
    failed: tuple[float | None, float | None] = (0.0, 0.0), given_up: float | None = None,
) -> dict[str, list[prometheus.Series]]:  # fmt: skip
    """The frozen signals of calls, before and after."""
    who = {"component": caller, "peer": callee}
    return {
        whitelist.CALLS_PER_S: [gauge(*per_s, **who)],
        whitelist.CALLS_SECONDS: [gauge(*seconds, **who)],
        whitelist.CALLS_FAILED: [gauge(*failed, **who)],
        whitelist.CALLS_TIMED_OUT: [gauge(None, given_up, **who)] if given_up is not None else [],
    }


def together(*parts: dict[str, list[prometheus.Series]]) -> dict[str, list[prometheus.Series]]:
    return {name: [one for part in parts for one in part.get(name, [])] for part in parts for name in part}


def changed(series: list[Series]) -> set[tuple[str, str, str]]:
    """Whom the signals accuse that are not as before: (component, caller, metric). Nothing is as before as anything."""
    there = [(one, one.normal[~np.isnan(one.normal)], one.anomalous[~np.isnan(one.anomalous)]) for one in series]
    return {
        (one.component, one.caller, one.metric)
        for one, before, after in there
        if len(before) and len(after) and abs(np.mean(after) - np.median(before)) > 1e-9
    }
