"""Frozen signals at the moments that are compared: levels of gauges, rates of counters, shares of one in another. Pure.

A counter that is not there yet has counted nothing: a series with labels appears when it is first used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from postmortems.diagnosis.model import Series, Values
from reference_app.query import prometheus

RATE_S = 5
"""What a rate looks back over, as the frozen ones do."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Unix seconds that are normal, and those that are asked about."""

    normal: Values
    anomalous: Values

    @property
    def all(self) -> Values:
        return np.concatenate([self.normal, self.anomalous])

    def usual(self, values: Values) -> Values:
        """The normal ones of values at all moments."""
        return values[: len(self.normal)]

    def unusual(self, values: Values) -> Values:
        """The anomalous ones."""
        return values[len(self.normal) :]

    def series(self, component: str, metric: str, values: Values, caller: str = "") -> Series:
        """Values at all moments as a signal."""
        return Series(component, metric, self.usual(values), self.unusual(values), caller=caller)

    def levels(self, one: prometheus.Series) -> Values:
        """NaN where nothing was measured."""
        by_second = _by_second(one)
        return np.array([by_second.get(second, np.nan) for second in self._seconds()])

    def rates(self, one: prometheus.Series) -> Values:
        """Of a counter, per second. One that fell began anew."""
        by_second = _by_second(one)
        first = min(by_second, default=0)

        def count(second: int) -> float:
            return by_second.get(second, 0.0 if second < first else np.nan)

        grown = [(count(second), count(second - RATE_S)) for second in self._seconds()]
        return np.array([(now - before if not now < before else now) / RATE_S for now, before in grown])

    def counts(self, one: prometheus.Series) -> Values:
        """Of what is counted anew in each second; 0 where there was nothing to count."""
        by_second = _by_second(one)
        return np.array([by_second.get(second, 0.0) for second in self._seconds()])

    def seen(self, some: Iterable[prometheus.Series]) -> Values:
        """1 in seconds of which any of them tells, else 0."""
        told = {round(at) for one in some for at, _ in one.points}
        return np.array([float(second in told) for second in self._seconds()])

    def _seconds(self) -> list[int]:
        return [round(moment) for moment in self.all]


def share(part: Values, whole: Values) -> Values:
    """At most 1; NaN where there was nothing to have a share in."""
    some = whole > 0
    return np.where(some, np.minimum(part / np.where(some, whole, 1.0), 1.0), np.nan)


def summed(some: Iterable[Values], length: int) -> Values:
    """Together; NaN only where none has a value."""
    rows = list(some)
    return np.where(np.isnan(rows).all(axis=0), np.nan, np.nansum(rows, axis=0)) if rows else np.full(length, np.nan)


def by_labels(some: Iterable[prometheus.Series], *labels: str) -> Mapping[tuple[str, ...], list[prometheus.Series]]:
    """Series by the values of labels, in alphabetical order."""
    found: dict[tuple[str, ...], list[prometheus.Series]] = {}
    for one in some:
        found.setdefault(tuple(one.labels.get(label, "") for label in labels), []).append(one)
    return dict(sorted(found.items()))


def _by_second(one: prometheus.Series) -> dict[int, float]:
    return {round(at): value for at, value in one.points}
