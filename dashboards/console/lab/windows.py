"""A range query that rolls: each look asks Prometheus for the seconds that are new, and keeps those that are not yet too old."""

from __future__ import annotations

import math
from collections.abc import Iterable

from dashboards.console.lab.signals import SPAN_S
from reference_app.query.prometheus import Points, Prometheus, Series

OVERLAP_S = 3.0
"""Asked for again: when a second was first looked at, its scrape may not have been in yet."""

Labels = frozenset[tuple[str, str]]


class Window:
    """The last `SPAN_S` seconds of one expression. Not for several threads at once."""

    def __init__(self, query: str) -> None:
        self._query, self._points, self._end = query, dict[Labels, Points](), -math.inf

    def read(self, prometheus: Prometheus, end: float) -> list[Series]:
        """Series up to the whole second `end`. Raises what the reader raises; then nothing that was known is lost."""
        start = max(end - SPAN_S, self._end - OVERLAP_S)
        fresh = prometheus.range(self._query, start, end)
        self._points, self._end = merged(self._points, fresh, start=start, oldest=end - SPAN_S), end
        return [Series(dict(labels), points) for labels, points in self._points.items()]


def merged(known: dict[Labels, Points], fresh: Iterable[Series], *, start: float, oldest: float) -> dict[Labels, Points]:
    """`fresh` replaces what was known from `start` on; what is older than `oldest` goes, and a series of which nothing is left."""
    kept = {labels: [point for point in points if oldest <= point[0] < start] for labels, points in known.items()}
    for series in fresh:
        labels = frozenset(series.labels.items())
        kept[labels] = kept.get(labels, []) + series.points
    return {labels: points for labels, points in kept.items() if points}
