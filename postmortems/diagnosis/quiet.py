"""Is there a cause at all? The same ranking is asked about stretches of the normal period, of which it is known that nothing was wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from postmortems.diagnosis.model import Case, Series
from postmortems.diagnosis.scoring import strength
from postmortems.diagnosis.walking import ANOMALOUS

WINDOWS = 12
"""Stretches at most; they overlap where the normal period is short."""
OVERLAPPING = 6
BEYOND = 0.8
"""Share of them that a cause has to exceed. Of quiet periods as long, about so many are told to be quiet; a larger share misses faint faults."""
Scores = Callable[[Case], Mapping[str, float]]


def is_quiet(case: Case, scores: Scores) -> bool:
    """True when nothing went further than noise does, or nobody is suspected more strongly than somebody is in most stretches of the normal period.

    A stretch is as long as the anomalous period: the mean of fewer values goes further by itself. What somebody told is left aside, since of a
    stretch nobody told anything.
    """
    plain = dataclasses.replace(case, symptom=None)
    strongest = _strongest(scores(plain))
    if strongest < strength(ANOMALOUS):
        return True
    before = [_strongest(scores(stretch)) for stretch in stretches(plain)]
    return bool(before) and sum(strongest > one for one in before) < BEYOND * len(before)


def stretches(case: Case) -> Iterator[Case]:
    """Cases in which a part of the normal period is asked about and the rest is the normal one."""
    length = max((len(series.normal) for series in case.series), default=0)
    asked = min(max((len(series.anomalous) for series in case.series), default=0), length // 2)
    if not asked:
        return
    most = min(max(length // asked, min(OVERLAPPING, length - asked)), WINDOWS)
    for first in sorted({round(at) for at in np.linspace(0, length - asked, most)}):
        yield dataclasses.replace(case, series=tuple(_asked_about(series, first, first + asked) for series in case.series))


def _asked_about(series: Series, first: int, last: int) -> Series:
    rest = np.concatenate([series.normal[:first], series.normal[last:]])
    return dataclasses.replace(series, normal=rest, anomalous=series.normal[first:last])


def _strongest(found: Mapping[str, float]) -> float:
    return max(found.values(), default=0.0)
