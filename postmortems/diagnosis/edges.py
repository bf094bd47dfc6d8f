"""Signals of calls as their callers measured them, and what callers themselves are to blame for. Pure.

A caller who gives calls up about as soon as they are usually answered has no patience, and says nothing about whom it called. A callee who was
not there before has no past of its own: it is compared with that of its siblings, whom the same caller called meanwhile.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np

from postmortems import whitelist
from postmortems.diagnosis.model import Series, Values
from postmortems.diagnosis.moments import Moments, by_labels, share, summed
from postmortems.diagnosis.scoring import FEWEST
from reference_app.contract import metrics, topology
from reference_app.query import prometheus

FEWEST_PER_S = 1.0
"""In seconds with fewer calls one of them is the mean."""
PATIENCE = 5.0
"""Times a usual answer: who waits longer than that before it gives up blames its callee, who does not blames itself."""
MISSING, DEAD = "missing_share", "failed_messages_share"
Frozen = Mapping[str, Sequence[prometheus.Series]]
Edge = tuple[str, str]
_SIBLING = re.compile(r"-\d+(-primary|-replica)?$")


def of(frozen: Frozen, moments: Moments) -> list[Series]:
    """All signals of calls."""
    rates = levels_by_edge(frozen, whitelist.CALLS_PER_S, moments)
    called = [
        *_series(whitelist.CALLS_SECONDS, _with_past(_few_left_out(levels_by_edge(frozen, whitelist.CALLS_SECONDS, moments), rates), moments), moments),
        *_series(whitelist.CALLS_FAILED, _with_past(levels_by_edge(frozen, whitelist.CALLS_FAILED, moments), moments), moments),
        *_series(whitelist.CALLS_PER_S, rates, moments),
    ]  # fmt: skip
    return [*called, *_missing(frozen, rates, moments), *_dead_letters(frozen, moments)]


def calls(frozen: Frozen) -> frozenset[Edge]:
    """Who called whom; and a primary waits for its replica."""
    names = (whitelist.CALLS_PER_S, whitelist.CALLS_SECONDS)
    called = {(one.labels["component"], one.labels["peer"]) for name in names for one in frozen.get(name, ())}
    return frozenset(called | {(primary, replica) for primary, replica, _ in pairs(frozen)})


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


def levels_by_edge(frozen: Frozen, name: str, moments: Moments) -> dict[Edge, Values]:
    """By caller and callee, at all moments."""
    return {(one.labels["component"], one.labels["peer"]): moments.levels(one) for one in frozen.get(name, ())}


def of_kind(frozen: Frozen, kind: topology.Kind) -> tuple[str, ...]:
    """Names of the components of a kind. What is measured of them is not looked at."""
    return tuple(one.labels["component"] for one in frozen.get(metrics.COMPONENT_UP.name, ()) if one.labels.get("kind") == kind)


def sibling(one: str, other: str) -> bool:
    """True for components of which there are several of a kind."""
    return _SIBLING.sub("", one) == _SIBLING.sub("", other)


def past_of_siblings(name: str, values: Mapping[str, Values], moments: Moments) -> Values:
    """Its values, with the mean of its siblings' past where it has none itself."""
    own = values[name]
    if np.count_nonzero(~np.isnan(moments.usual(own))) >= FEWEST:
        return own
    theirs = [moments.usual(its) for other, its in values.items() if other != name and sibling(name, other)]
    return np.concatenate([_means(theirs), moments.unusual(own)]) if theirs else own


def _with_past(values: Mapping[Edge, Values], moments: Moments) -> dict[Edge, Values]:
    callees: dict[str, dict[str, Values]] = {}
    for (caller, callee), its in values.items():
        callees.setdefault(caller, {})[callee] = its
    return {(caller, callee): past_of_siblings(callee, callees[caller], moments) for caller, callee in values}


def _missing(frozen: Frozen, rates: Mapping[Edge, Values], moments: Moments) -> Iterator[Series]:
    """Rows that were asked for and are not there, by call."""
    for edge, its in by_labels(frozen.get(metrics.ROWS_MISSING.name, ()), "component", "peer").items():
        caller, callee = edge
        if (caller, callee) in rates:
            lost = summed((moments.rates(one) for one in its), len(moments.all))
            yield moments.series(callee, MISSING, share(np.nan_to_num(lost), rates[caller, callee]), caller)


def _dead_letters(frozen: Frozen, moments: Moments) -> Iterator[Series]:
    """Messages that their consumer could do nothing with came from the stream that it calls."""
    dead = {one.labels["component"]: one for one in frozen.get(metrics.DEAD_LETTERS.name, ())}
    streams = of_kind(frozen, "nats")
    for caller, peer in levels_by_edge(frozen, whitelist.CALLS_PER_S, moments):
        if peer in streams and caller in dead:
            yield moments.series(peer, DEAD, np.minimum(moments.rates(dead[caller]), 1.0), caller)


def pairs(frozen: Frozen) -> Iterator[tuple[str, str, prometheus.Series]]:
    """Primaries, their replicas, and whether these replicate."""
    primaries = {one.labels["shard"]: one.labels["component"] for one in frozen.get(metrics.SEMI_SYNC_ON.name, ())}
    for one in frozen.get(metrics.REPLICATION_RUNNING.name, ()):
        if primary := primaries.get(one.labels["shard"]):
            yield primary, one.labels["component"], one


def _few_left_out(seconds: Mapping[Edge, Values], rates: Mapping[Edge, Values]) -> dict[Edge, Values]:
    return {
        edge: np.where(np.nan_to_num(rates[edge]) >= FEWEST_PER_S, its, np.nan) if edge in rates else its for edge, its in seconds.items()
    }


def _series(name: str, values: Mapping[Edge, Values], moments: Moments) -> Iterator[Series]:
    return (moments.series(callee, name, its, caller) for (caller, callee), its in values.items())


def _usual(edge: Edge, usual: Mapping[Edge, float]) -> float:
    """Of the slowest among those of its kind whom the same caller calls: the one in question may hardly ever have been called."""
    caller, callee = edge
    return max((its for (who, whom), its in usual.items() if who == caller and sibling(whom, callee) and not np.isnan(its)), default=0.0)


def _mean(values: Values) -> float:
    there = values[~np.isnan(values)]
    return float(np.mean(there)) if len(there) else float("nan")


def _means(rows: Sequence[Values]) -> Values:
    there = ~np.isnan(rows)
    return np.where(there.any(axis=0), np.nansum(rows, axis=0) / np.maximum(there.sum(axis=0), 1), np.nan)
