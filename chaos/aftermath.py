"""Does service come back by itself once the fault is gone? What does not has a cause of its own by then: a metastable failure (Bronson et al., HotOS'21). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from loadgen.series import Second
from reference_app.contract.plan import Plan

FROM_S = 30.0
"""After the end of the fault: who is not back by then is not on the way."""


def goodput_ratio(series: Iterable[Second], plan: Plan) -> float | None:
    """Share of the home pages that users wanted and got, at whichever attempt, from 30 s after the fault to the end of the phase `after`, over
    that of `before`.
    """
    seconds, before = list(series), plan.phase("before")
    usual = _served(seconds, before.start, before.end)
    now = _served(seconds, plan.undo_at + FROM_S, plan.phase("after").end)
    return now / usual if usual and now is not None else None


def _served(series: Iterable[Second], start: float, end: float) -> float | None:
    within = [second for second in series if start <= second.t and second.t + 1 <= end]
    wanted = sum(second.wanted for second in within)
    return sum(second.served for second in within) / wanted if wanted else None
