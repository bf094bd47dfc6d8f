"""What a stretch of time cost each objective: the `slo` object of a drill's result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from reference_app.query.slo import Slo


class Counts(Protocol):
    """Counts events; `reference_app.query.prometheus.Prometheus` does."""

    def increase(self, selector: str, start: float, end: float) -> float:
        """Events that the selected counters counted in [start, end], Unix seconds."""


@dataclass(frozen=True)
class Spent:
    """One objective over a window. None is "not available": nothing was counted. A `burn_rate` of 1 spends the budget exactly."""

    objective: float
    good: int | None = None
    total: int | None = None
    burn_rate: float | None = None


def spent(slos: Sequence[Slo], counts: Counts, start: float, end: float) -> dict[str, Spent]:
    """Name of the objective -> what was spent between `start` and `end`. Raises what `counts` raises."""
    return {slo.name: _of_counts(slo, counts, start, end) for slo in slos}


def _of_counts(slo: Slo, counts: Counts, start: float, end: float) -> Spent:
    total = counts.increase(slo.total_selector, start, end)
    counted = counts.increase(slo.good_selector or slo.bad_selector, start, end)
    return of(slo, counted if slo.good_selector else total - counted, total)


def of(slo: Slo, good: float, total: float) -> Spent:
    """Good and total events of one objective, as its burn rate."""
    if total <= 0:
        return Spent(slo.objective)
    bad_share = max(total - good, 0) / total
    return Spent(slo.objective, round(good), round(total), round(bad_share / slo.error_budget, 3))
