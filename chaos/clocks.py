"""How long things took: detection, absorption, recovery. Seconds; None where the evidence does not say. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from chaos import injections
from chaos.alertscore import Score
from chaos.catalogue import Hypothesis
from chaos.events import Event
from loadgen.series import Second

GOOD_SECONDS = 15
"""So many consecutive good seconds count as recovered."""
DRAINED_SECONDS = 5
"""So many in which nothing waits: the queues of a busy lab are never empty for long."""
BY_A_PERSON = ("chaos undo", "chaos halt")


@dataclass(frozen=True)
class Clocks:
    """The `clocks` object of a drill.

    `ttd_s` injection to first true alert; `ttm_s` injection to mitigation by a person (None when the undo was scripted);
    `ttr_s` injection to good service; `time_to_absorb_s` the same while the fault was still on, and then for as long as it was on;
    `recovery_after_undo_s` from the undo to good service, `drained_after_undo_s` until queues are as before and replicas have caught up.
    """

    ttd_s: float | None = None
    ttm_s: float | None = None
    ttr_s: float | None = None
    time_to_absorb_s: float | None = None
    recovery_after_undo_s: float | None = None
    drained_after_undo_s: float | None = None


def measure(
    series: Sequence[Second],
    recorded: Sequence[Event],
    *,
    t0: float,
    hypothesis: Hypothesis,
    alerts: Score | None = None,
    drained: Mapping[int, bool] | None = None,
) -> Clocks:
    """All clocks of one run, from its first injection and its last undo; `t0` is Unix seconds at load second 0, `drained` as of chaos.backlog."""
    injected, undone = injections.span(recorded)
    if injected is None:
        return Clocks()
    injected_s, undone_s = injected.at - t0, undone.at - t0 if undone else None
    absorbed = _absorbed(series, hypothesis, injected_s, until=undone_s if undone_s is not None else math.inf)
    good = {second.t: is_good(second, hypothesis) for second in series}
    recovered = _streak_after(good, undone_s, GOOD_SECONDS)
    return Clocks(
        ttd_s=alerts.first_detection_s if alerts else None,
        ttm_s=round(undone.at - injected.at, 3) if undone and undone.detail.get("by") in BY_A_PERSON else None,
        ttr_s=_to_recover(injected_s, undone_s, absorbed, recovered),
        time_to_absorb_s=absorbed,
        recovery_after_undo_s=recovered,
        drained_after_undo_s=_streak_after(drained or {}, undone_s, DRAINED_SECONDS),
    )


def is_good(second: Second, hypothesis: Hypothesis) -> bool:
    """The second meets the hypothesis by itself: by shares, for the number of arrivals in one second is chance. A quiet second proves nothing."""
    pages = second.complete + second.partial
    if not second.offered or not pages:
        return False
    served = 1 - second.errors / second.offered
    return served >= hypothesis.when_well and second.complete / pages >= hypothesis.completeness


def _absorbed(series: Sequence[Second], hypothesis: Hypothesis, moment: float, *, until: float) -> float | None:
    """Seconds from the moment to the first of the good seconds that reach to `until`, if they are 15: a fault that hurts late is not absorbed."""
    latest_first = sorted((s for s in series if math.floor(moment) <= s.t <= until - 1), key=lambda s: s.t, reverse=True)
    good = list(takewhile(lambda second: is_good(second, hypothesis), latest_first))
    return round(max(0.0, good[-1].t - moment), 3) if len(good) >= GOOD_SECONDS else None


def _streak_after(good: Mapping[int, bool], moment: float | None, length: int) -> float | None:
    """Seconds from the moment to the first of so many consecutive good seconds."""
    if moment is None:
        return None
    streak = 0
    for second in sorted(second for second in good if second >= math.floor(moment)):
        streak = streak + 1 if good[second] else 0
        if streak == length:
            return round(max(0.0, second - length + 1 - moment), 3)
    return None


def _to_recover(injected_s: float, undone_s: float | None, absorbed: float | None, recovered: float | None) -> float | None:
    if absorbed is not None:
        return absorbed
    if undone_s is None or recovered is None:
        return None
    return round(undone_s - injected_s + recovered, 3)
