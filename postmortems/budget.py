"""What a run cost of an error budget. Nominal: the budget is that of a month at the run's base rate. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from postmortems import whitelist
from reference_app.contract.plan import Plan
from reference_app.query import prometheus
from reference_app.query.prometheus import Series
from reference_app.query.slo import Slo

MONTH_S = 30 * 86_400


@dataclass(frozen=True)
class Spent:
    """Events of the recorded phases; `budget` is the share of the nominal budget that `bad` used, None without a base rate."""

    good: int
    total: int
    bad: int
    budget: float | None


def spent(objective: Slo, plan: Plan, series: Mapping[str, Sequence[Series]]) -> Spent | None:
    """Bad / ((1 - target) x 30 d x base rate); None when the counters were not frozen."""
    totals = series.get(whitelist.total_name(objective))
    if not totals:
        return None
    start, end = plan.t0 + min(p.start for p in plan.phases if p.recorded), plan.t0 + plan.duration
    total, good = (_grown(found, start, end) for found in (totals, series.get(whitelist.good_name(objective), ())))
    baseline = plan.phase("baseline")
    length = baseline.end - baseline.start
    base_rate = _grown(totals, plan.t0 + baseline.start, plan.t0 + baseline.end) / length if length else 0.0
    allowed = objective.error_budget * MONTH_S * base_rate
    return Spent(round(good), round(total), round(total - good), (total - good) / allowed if allowed else None)


def _grown(found: Sequence[Series], start: float, end: float) -> float:
    return sum(prometheus.increase_of([point for point in series.points if point[0] <= end], start) for series in found)
