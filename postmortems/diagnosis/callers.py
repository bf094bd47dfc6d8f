"""What callers themselves are to blame for in the signals of their calls. Pure.

A caller who gives calls up about as soon as they are usually answered has no patience, and says nothing about whom it called. A caller with whom all
calls became slower alike, whoever answers them, was slow itself: it had no processor, or too much to do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping

import numpy as np

from postmortems import whitelist
from postmortems.diagnosis.edges import Edge, Frozen, levels_by_edge
from postmortems.diagnosis.model import GAP, Series, Values
from postmortems.diagnosis.moments import Moments
from postmortems.diagnosis.siblings import sibling

PATIENCE = 5.0
"""Times a usual answer: who waits longer than that before it gives up blames its callee, who does not blames itself."""
FEWEST_OTHERS = 2
"""Calls to others, by which a caller's own delay is told."""


def excused(series: Iterable[Series], frozen: Frozen, moments: Moments) -> list[Series]:
    """Signals of calls that accuse callees of what is their callees' doing alone."""
    return without_delays(turned(series, impatient(frozen, moments)))


def impatient(frozen: Frozen, moments: Moments) -> frozenset[Edge]:
    """Calls that their callers gave up although hardly anybody could have answered by then."""
    usual = {edge: _mean(moments.usual(values)) for edge, values in levels_by_edge(frozen, whitelist.CALLS_SECONDS, moments).items()}
    given_up = {edge: _mean(moments.unusual(values)) for edge, values in levels_by_edge(frozen, whitelist.CALLS_TIMED_OUT, moments).items()}
    return frozenset(edge for edge, after in given_up.items() if after < PATIENCE * _usual(edge, usual))


def turned(series: Iterable[Series], hasty: Collection[Edge]) -> Iterator[Series]:
    """What failed because a caller has no patience is the caller's."""
    for one in series:
        if one.family == "errors" and (one.caller, one.component) in hasty:
            metric = f"{one.metric}_of_calls_to_{one.component}_given_up_at_once"
            yield dataclasses.replace(one, component=one.caller, caller="", metric=metric)
        else:
            yield one


def without_delays(series: Iterable[Series]) -> list[Series]:
    """Seconds of calls without those by which all of a caller's became slower; of a call of which only the gap is known, by the gaps."""
    every = list(series)
    gaps, waits = (
        {(one.caller, one.component): _later(one) for one in every if one.metric == metric} for metric in (GAP, whitelist.CALLS_SECONDS)
    )
    later = gaps | waits
    return [
        _sooner(one, _delay((one.caller, one.component), later)) if one.metric in (GAP, whitelist.CALLS_SECONDS) else one for one in every
    ]


def _later(one: Series) -> float:
    """Seconds that calls take longer than they used to; NaN where nobody knows."""
    return _mean(one.anomalous) - _median(one.normal)


def _delay(edge: Edge, later: Mapping[Edge, float]) -> float:
    """Of the caller, by its other calls."""
    caller, callee = edge
    others = [seconds for (who, whom), seconds in later.items() if who == caller and whom != callee and not np.isnan(seconds)]
    return max(0.0, float(np.median(others))) if len(others) >= FEWEST_OTHERS else 0.0


def _sooner(one: Series, delay: float) -> Series:
    """Not sooner than it used to be."""
    usual = _median(one.normal)
    late = one.anomalous > usual
    return dataclasses.replace(one, anomalous=np.where(late, np.maximum(one.anomalous - delay, usual), one.anomalous)) if delay else one


def _usual(edge: Edge, usual: Mapping[Edge, float]) -> float:
    """Of the slowest among those of its kind whom the same caller calls: the one in question may hardly ever have been called."""
    caller, callee = edge
    return max((its for (who, whom), its in usual.items() if who == caller and sibling(whom, callee) and not np.isnan(its)), default=0.0)


def _mean(values: Values) -> float:
    there = values[~np.isnan(values)]
    return float(np.mean(there)) if len(there) else float("nan")


def _median(values: Values) -> float:
    there = values[~np.isnan(values)]
    return float(np.median(there)) if len(there) else float("nan")
