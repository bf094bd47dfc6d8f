"""Two-sided robust scores: how far a signal went from its normal, in deviations that outliers of the normal period do not stretch.

A dead shard shows in drops (requests, hits) as much as in rises, so both directions count; BARO and N-sigma take the rise alone, which ranks a drop of 40
deviations last. The median and the MAD follow Iglewicz & Hoaglin (1993).
"""

from __future__ import annotations

import math

import numpy as np

from postmortems.diagnosis.model import Values

FEWEST = 3
CONSISTENT = 1.4826
"""MAD x this estimates the standard deviation of a normal distribution."""
ROUNDING = 1e-6
"""A share that was divided may be so much above 1."""
MOST = 1000.0
"""Deviations beyond which more says nothing: a signal that never moved has a MAD of 0."""


def deviations(normal: Values, anomalous: Values, *, least: float = 0.0, share: bool = False) -> float:
    """Signed deviations of the anomalous mean from the normal median; 0 for a signal that is constant, or too short to tell.

    `least` is the smallest deviation that is believed, relative to the median, or, of a `share`, to the whole: a share that is nearly always 0 or
    1 has no median to compare with. A share is 0 to 1 or 0 to 100. What appears where nothing was moves as far as what vanishes.
    """
    normal, anomalous = normal[~np.isnan(normal)], anomalous[~np.isnan(anomalous)]
    if len(normal) < FEWEST or not len(anomalous):
        return 0.0
    median = float(np.median(normal))
    moved = float(np.mean(anomalous)) - median
    whole = _whole(normal, anomalous) if share else abs(median) or abs(moved)
    scale = max(CONSISTENT * float(np.median(np.abs(normal - median))), least * whole)
    if not moved:
        return 0.0
    return math.copysign(MOST, moved) if not scale else max(-MOST, min(MOST, moved / scale))


def _whole(normal: Values, anomalous: Values) -> float:
    return 100.0 if max(float(normal.max()), float(anomalous.max())) > 1 + ROUNDING else 1.0


def strength(score: float) -> float:
    """Deviations on a scale where ten times as many are a step more: log(1 + |z|)."""
    return math.log1p(abs(score))
