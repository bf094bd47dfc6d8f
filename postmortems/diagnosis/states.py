"""Signals of components by themselves: what they served, what stores have left, who still works, and who takes what is measured and told. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from postmortems import whitelist
from postmortems.diagnosis.edges import Edge, Frozen, levels_by_edge, of_kind, pairs
from postmortems.diagnosis.model import Series, Values
from postmortems.diagnosis.moments import Moments, by_labels, share, summed
from postmortems.diagnosis.siblings import past_of_siblings
from reference_app.contract import metrics, topology

SERVED = (whitelist.SERVED_SECONDS, whitelist.SERVED_FAILED, whitelist.SERVED_PER_S)
LIVENESS = (metrics.COMPONENT_UP.name, metrics.COMPONENT_HUNG.name)
"""Whoever watches processes knows which one died. Headline figures do without it."""
ACTIVE, HITS, STOPPED = "availability_for_work", "hit_share", "replication_failed_share"
LOST_SPANS, LOST_ALERTS = "failed_spans_share", "failed_notifications_share"
UNKNOWN_LIMITS = "limits_missing_share"
LEFT = {metrics.CONNECTIONS.name: "connections_ratio", metrics.STORE_DISK_FREE_SHARE.name: "disk_free_ratio"}
TURNED_AWAY = {metrics.CACHE_EVICTIONS.name: "evictions", metrics.SHED.name: "shed_load", metrics.NACKS.name: "refused_work"}
TOOLS = {one.kind: one.name for one in topology.components(topology.SMALL, 0) if one.tool}
"""Who watches serves more when others fail: what it serves is no evidence."""


def of(frozen: Frozen, moments: Moments, *, liveness: bool = False) -> list[Series]:
    """All signals of components by themselves."""
    served = [
        moments.series(one.labels["component"], name, moments.levels(one))
        for name in (*SERVED, *(LIVENESS if liveness else ()))
        for one in frozen.get(name, ())
        if one.labels.get("component", TOOLS["prober"]) not in TOOLS.values() or name in LIVENESS
    ]
    own = (*_hits(frozen, moments), *_left(frozen, moments), *_limits(frozen, moments))
    return [*served, *own, *_replicates(frozen, moments), *_watched(frozen, moments)]


def active(frozen: Frozen, called: Collection[str], moments: Moments) -> Iterator[Series]:
    """Nobody sees whether those work whom nobody calls, such as a worker on a stream, but for those whom they call: seconds in which they did.

    Seconds in which there was nothing to do, or nothing at all was measured, tell of nobody.
    """
    rates = levels_by_edge(frozen, whitelist.CALLS_PER_S, moments)
    working = {caller: summed((its for (who, _), its in rates.items() if who == caller), len(moments.all)) > 0 for caller, _ in rates}
    for (edge,), requests in by_labels(frozen.get(metrics.EDGE_REQUESTS.name, ()), "component").items():
        working[edge] = summed((moments.rates(one) for one in requests), len(moments.all)) > 0
    if asked := frozen.get(metrics.PROBE_SECONDS.name, ()):
        working[TOOLS["prober"]] = moments.seen(asked) > 0
    measured = np.any(list(working.values()), axis=0) if working else np.array([])
    for component, seconds in sorted(working.items()):
        if component not in called:
            offered = _offered(frozen, component, called, rates)
            yield moments.series(component, ACTIVE, np.where(measured & offered, seconds, np.nan))


def _offered(frozen: Frozen, worker: str, called: Collection[str], rates: Mapping[Edge, Values]) -> Values:
    """Seconds in which somebody put work on the streams that it takes it from; all where it takes from none."""
    streams = {peer for who, peer in rates if who == worker and peer in of_kind(frozen, "nats")}
    put = [its > 0 for (who, peer), its in rates.items() if peer in streams and who in called]
    return np.any(put, axis=0) if put else np.array(True)


def _hits(frozen: Frozen, moments: Moments) -> Iterator[Series]:
    hits, misses = (_rates(frozen, metric.name, moments) for metric in (metrics.CACHE_HITS, metrics.CACHE_MISSES))
    shares = {cache: share(hits[cache], hits[cache] + misses[cache]) for cache in hits if cache in misses}
    for cache in shares:
        yield moments.series(cache, HITS, past_of_siblings(cache, shares, moments))


def _left(frozen: Frozen, moments: Moments) -> Iterator[Series]:
    for name, metric in LEFT.items():
        for one in frozen.get(name, ()):
            yield moments.series(one.labels["component"], metric, moments.levels(one))
    for name, metric in TURNED_AWAY.items():
        for (component,), counters in by_labels(frozen.get(name, ()), "component").items():
            yield moments.series(component, metric, summed((moments.rates(one) for one in counters), len(moments.all)))


def _limits(frozen: Frozen, moments: Moments) -> Iterator[Series]:
    """Posts whose daily limit nobody knew, refused or let through, as a share of all posts."""
    posted = (moments.rates(one) for one in frozen.get(metrics.POSTS.name, ()) if one.labels.get("result") == "acknowledged")
    stored = summed(posted, len(moments.all))
    for (component,), counters in by_labels(frozen.get(metrics.DAILY_LIMITS.name, ()), "component").items():
        refused, allowed = (
            np.nan_to_num(summed((moments.rates(one) for one in counters if one.labels.get("result") == result), len(moments.all)))
            for result in ("unknown_refused", "unknown_allowed")
        )
        yield moments.series(component, UNKNOWN_LIMITS, share(refused + allowed, refused + np.nan_to_num(stored)))


def _replicates(frozen: Frozen, moments: Moments) -> Iterator[Series]:
    """A replica that no longer replicates although its primary answers; where that does not, it says nothing about the replica."""
    failed = levels_by_edge(frozen, whitelist.CALLS_FAILED, moments)
    for primary, replica, running in pairs(frozen):
        if theirs := [np.nan_to_num(its, nan=1.0) for (_, callee), its in failed.items() if callee == primary]:
            yield moments.series(replica, STOPPED, (1.0 - moments.levels(running)) * (1.0 - np.max(theirs, axis=0)))


def _watched(frozen: Frozen, moments: Moments) -> Iterator[Series]:
    """Services hand their spans to the collector, Prometheus its alerts to Alertmanager."""
    for (service,), counters in by_labels(frozen.get(metrics.SPANS_EXPORTED.name, ()), "component").items():
        lost = summed((moments.rates(one) for one in counters if one.labels.get("error_type")), len(moments.all))
        every = summed((moments.rates(one) for one in counters), len(moments.all))
        yield moments.series(TOOLS["collector"], LOST_SPANS, share(np.nan_to_num(lost), every), service)
    for one in frozen.get(metrics.NOTIFICATIONS_FAILED.name, ()):
        yield moments.series(TOOLS["alertmanager"], LOST_ALERTS, np.minimum(moments.rates(one), 1.0), TOOLS["prometheus"])


def _rates(frozen: Frozen, name: str, moments: Moments) -> dict[str, Values]:
    return {one.labels["component"]: moments.rates(one) for one in frozen.get(name, ())}
