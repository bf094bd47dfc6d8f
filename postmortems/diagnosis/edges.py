"""Signals of calls as their callers measured them, and who calls whom. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from postmortems import whitelist
from postmortems.diagnosis.model import GAP, Series, Values
from postmortems.diagnosis.moments import Moments, by_labels, share, summed
from postmortems.diagnosis.siblings import past_of_siblings
from reference_app.contract import metrics, topology
from reference_app.query import prometheus

FEWEST_PER_S = 1.0
"""In seconds with fewer calls one of them is the mean."""
MISSING, DEAD = "missing_share", "failed_messages_share"
Frozen = Mapping[str, Sequence[prometheus.Series]]
Edge = tuple[str, str]


def of(frozen: Frozen, moments: Moments) -> list[Series]:
    """All signals of calls."""
    rates = levels_by_edge(frozen, whitelist.CALLS_PER_S, moments)
    seconds = _few_left_out(levels_by_edge(frozen, whitelist.CALLS_SECONDS, moments), rates)
    called = [
        *_series(whitelist.CALLS_SECONDS, _with_past(seconds, moments), moments),
        *_series(GAP, _with_past(_gaps(frozen, seconds, rates, moments), moments), moments),
        *_series(whitelist.CALLS_FAILED, _with_past(levels_by_edge(frozen, whitelist.CALLS_FAILED, moments), moments), moments),
        *_series(whitelist.CALLS_PER_S, rates, moments),
    ]  # fmt: skip
    return [*called, *_missing(frozen, rates, moments), *_dead_letters(frozen, moments)]


def calls(frozen: Frozen) -> frozenset[Edge]:
    """Who called whom; and a primary waits for its replica."""
    names = (whitelist.CALLS_PER_S, whitelist.CALLS_SECONDS)
    called = {(one.labels["component"], one.labels["peer"]) for name in names for one in frozen.get(name, ())}
    return frozenset(called | {(primary, replica) for primary, replica, _ in pairs(frozen)})


def levels_by_edge(frozen: Frozen, name: str, moments: Moments) -> dict[Edge, Values]:
    """By caller and callee, at all moments."""
    return {(one.labels["component"], one.labels["peer"]): moments.levels(one) for one in frozen.get(name, ())}


def of_kind(frozen: Frozen, kind: topology.Kind) -> tuple[str, ...]:
    """Names of the components of a kind. What is measured of them is not looked at."""
    return tuple(one.labels["component"] for one in frozen.get(metrics.COMPONENT_UP.name, ()) if one.labels.get("kind") == kind)


def pairs(frozen: Frozen) -> Iterator[tuple[str, str, prometheus.Series]]:
    """Primaries, their replicas, and whether these replicate."""
    primaries = {one.labels["shard"]: one.labels["component"] for one in frozen.get(metrics.SEMI_SYNC_ON.name, ())}
    for one in frozen.get(metrics.REPLICATION_RUNNING.name, ()):
        if primary := primaries.get(one.labels["shard"]):
            yield primary, one.labels["component"], one


def _with_past(values: Mapping[Edge, Values], moments: Moments) -> dict[Edge, Values]:
    callees: dict[str, dict[str, Values]] = {}
    for (caller, callee), its in values.items():
        callees.setdefault(caller, {})[callee] = its
    return {(caller, callee): past_of_siblings(callee, callees[caller], moments) for caller, callee in values}


def _gaps(frozen: Frozen, seconds: Mapping[Edge, Values], rates: Mapping[Edge, Values], moments: Moments) -> dict[Edge, Values]:
    """Seconds that callers wait beyond those that a callee says it took. It says so of all its calls together, and those of one caller may be the
    longer ones: so no caller's gap is more than all callers together waited beyond it.
    """
    served = {one.labels["component"]: moments.levels(one) for one in frozen.get(whitelist.SERVED_SECONDS, ())}
    found: dict[Edge, Values] = {}
    for callee, took in served.items():
        beyond = {edge: waited - took for edge, waited in seconds.items() if edge[1] == callee and edge in rates}
        together = summed((rates[edge] * gap for edge, gap in beyond.items()), len(moments.all))
        found |= {edge: np.minimum(gap, together / np.maximum(rates[edge], FEWEST_PER_S)) for edge, gap in beyond.items()}
    return found


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


def _few_left_out(seconds: Mapping[Edge, Values], rates: Mapping[Edge, Values]) -> dict[Edge, Values]:
    return {
        edge: np.where(np.nan_to_num(rates[edge]) >= FEWEST_PER_S, its, np.nan) if edge in rates else its for edge, its in seconds.items()
    }


def _series(name: str, values: Mapping[Edge, Values], moments: Moments) -> Iterator[Series]:
    return (moments.series(callee, name, its, caller) for (caller, callee), its in values.items())
