"""What spans and logs say about whom: where failures of traces began, who spent the time of slow ones, and whom services complain about. Pure.

Each is a share of what was said in a second, so that a failure which many pass on does not count for more; a second with hardly anything to share
speaks softly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from postmortems import logged, traced
from postmortems.diagnosis.edges import Frozen
from postmortems.diagnosis.model import Series, Values
from postmortems.diagnosis.moments import Moments, by_labels
from reference_app.query import prometheus

FEWEST = 5.0
"""Failures or complaints a second of which one has a share. Of fewer, the rest counts as well."""
FEWEST_SECONDS = 1.0
BEGAN, SPENT, NAMED = "first_failures_share", "slow_time_share", "complaints_share"


def of(frozen: Frozen, moments: Moments) -> list[Series]:
    """Signals about the components that spans and lines of logs name."""
    return [*_began(frozen, moments), *_spent(frozen, moments), *_named(frozen, moments)]


def _began(frozen: Frozen, moments: Moments) -> Iterator[Series]:
    some = frozen.get(traced.FAILED, ())
    every = np.maximum(_together(some, moments), FEWEST)
    for edge, its in by_labels(some, "component", "caller").items():
        yield moments.series(edge[0], BEGAN, _together(its, moments) / every, edge[1])


def _spent(frozen: Frozen, moments: Moments) -> Iterator[Series]:
    some = frozen.get(traced.SPENT, ())
    every = np.maximum(_together(some, moments), FEWEST_SECONDS)
    for (component,), its in by_labels(some, "component").items():
        yield moments.series(component, SPENT, _together(its, moments) / every)


def _named(frozen: Frozen, moments: Moments) -> Iterator[Series]:
    """Lines that name another component. Who complains without naming anybody may be whom it is done to."""
    some = [one for one in frozen.get(logged.LINES, ()) if one.labels["about"] not in ("", one.labels["component"])]
    every = np.maximum(_together(some, moments), FEWEST)
    for edge, its in by_labels(some, "about", "component").items():
        yield moments.series(edge[0], NAMED, _together(its, moments) / every, edge[1])


def _together(some: Sequence[prometheus.Series], moments: Moments) -> Values:
    return np.sum([moments.counts(one) for one in some], axis=0) if some else np.zeros(len(moments.all))
