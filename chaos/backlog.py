"""Is what waited worked off, and has every replica caught up? Second by second, from series of a run. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from chaos.settled import LAG_S
from reference_app.contract import metrics
from reference_app.contract.plan import Plan
from reference_app.query.prometheus import Series

QUEUES = {metrics.STREAM_PENDING: "the event stream", metrics.OUTBOX_UNPUBLISHED: "the outboxes", metrics.COUNTS_BEHIND: "the counters"}
"""Gauges of what is still to be done, and where it waits."""
_REPLICAS: dict[str, tuple[Callable[[Sequence[float]], float], float]] = {
    metrics.REPLICATION_LAG.name: (max, LAG_S),
    metrics.REPLICATION_RUNNING.name: (lambda running: 1 - min(running), 0.0),
}
"""Gauge -> what of all replicas counts, and how much of that is no backlog."""
SERIES = (*(metric.name for metric in QUEUES), *_REPLICAS)
"""What `drained` needs, at whole seconds of the load."""


def drained(series: Mapping[str, Sequence[Series]], plan: Plan) -> dict[int, bool]:
    """Load second -> whether no queue was longer than it ever was in the phase `before`, and no replica behind or stopped.

    Empty when nothing of it was known before the fault; what is not known in one second is not drained then.
    """
    levels = {name: _levels(series.get(name, ()), plan.t0, _REPLICAS[name][0] if name in _REPLICAS else sum) for name in SERIES}
    usual = {name: _usual(by_second, plan) for name, by_second in levels.items()}
    limits = {name: _REPLICAS[name][1] if name in _REPLICAS else limit for name, limit in usual.items() if limit is not None}
    seconds = range(int(plan.duration) + 1) if limits else ()
    return {second: all(levels[name].get(second, float("inf")) <= limit for name, limit in limits.items()) for second in seconds}


def _levels(found: Sequence[Series], t0: float, whole: Callable[[Sequence[float]], float]) -> dict[int, float]:
    """Of all series together, by load second."""
    at: defaultdict[int, list[float]] = defaultdict(list)
    for one in found:
        for moment, value in one.points:
            at[round(moment - t0)].append(value)
    return {second: whole(values) for second, values in at.items()}


def _usual(levels: Mapping[int, float], plan: Plan) -> float | None:
    before = plan.phase("before")
    return max((level for second, level in levels.items() if before.start <= second < min(before.end, plan.inject_at)), default=None)
