"""A case from a snapshot: what callers and servers measured, who called whom, and the moment of the first alert; nothing of the experiment.

Chaos labels, the experiment file, switched deciders and the supervisor's log are never read here: a diagnosis that saw them would know the answer.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from postmortems import whitelist
from postmortems.diagnosis.model import Case, Series, Symptom, Values
from postmortems.evidence import Snapshot
from reference_app.contract import metrics, topology
from reference_app.query import prometheus
from reference_app.query.prometheus import AlertSpan

WATCHDOG, SYMPTOM = "Watchdog", "SloBurn"
LEAD_S, TAIL_S = 5.0, 15.0
"""Around the first alert: what is compared with the normal period."""
QUIET_S, GUARD_S, SETTLED_S, FEWEST_S = 30.0, 10.0, 10.0, 15
"""Alerts of the first seconds are of a load that begins. The seconds before an alert belong to nobody, nor do those after the load began. An alert of
a grey fault is later than that: then some of what it did counts as normal, which a median bears better than a normal period at another load."""
GIVEN_S = 5.0
"""After the step of a sham, somebody asks what is wrong."""
FEWEST_PER_S = 1.0
CALLED = (whitelist.CALLS_SECONDS, whitelist.CALLS_FAILED, whitelist.CALLS_PER_S)
SERVED = (whitelist.SERVED_SECONDS, whitelist.SERVED_FAILED, whitelist.SERVED_PER_S)
ACTIVE = "availability_for_work"
TOOLS = tuple(one.name for one in topology.components(topology.SMALL, 0) if one.tool)
"""Who watches works more when others fail, and is no suspect."""
LIVENESS = (metrics.COMPONENT_UP.name, metrics.COMPONENT_HUNG.name)
"""Whoever watches processes knows which one died. Headline figures do without it."""
Frozen = Mapping[str, Sequence[prometheus.Series]]


class NothingNoticedError(Exception):
    """No alert fired, so there is no moment to look at, or the signals were not frozen."""


def of_snapshot(snapshot: Snapshot, *, liveness: bool = False) -> Case:
    """The case of a recorded run. Raises NothingNoticedError."""
    if snapshot.series is None or snapshot.alerts is None:
        raise NothingNoticedError("the snapshot holds no signals: Prometheus could not be asked when it was frozen")
    began = snapshot.plan.t0
    first = first_alert(snapshot.alerts, since=began)
    if first is None:
        raise NothingNoticedError(f"nobody was told of anything in run {snapshot.plan.run_id}: no alert fired once its load had settled")
    return case(snapshot.series, snapshot.alerts, began=began, noticed=first.fired_at, liveness=liveness)


def of_sham(snapshot: Snapshot) -> Case:
    """The case of somebody who suspects something although nothing was broken, at the moment at which an alert of the fault would have come.

    Raises NothingNoticedError.
    """
    if snapshot.series is None or snapshot.alerts is None:
        raise NothingNoticedError("the snapshot holds no signals: Prometheus could not be asked when it was frozen")
    return case(snapshot.series, snapshot.alerts, began=snapshot.plan.t0, noticed=snapshot.plan.t0 + snapshot.plan.inject_at + GIVEN_S)


def first_alert(alerts: Sequence[AlertSpan], *, since: float) -> AlertSpan | None:
    """What told people first once the load had settled; None when nothing did."""
    told = [alert for alert in alerts if alert.name != WATCHDOG and alert.fired_at >= since + QUIET_S]
    return min(told, key=lambda alert: alert.fired_at, default=None)


def case(frozen: Frozen, alerts: Sequence[AlertSpan], *, began: float, noticed: float, liveness: bool = False) -> Case:
    """The case of what was noticed at a moment; times are Unix seconds, `began` is when the load did."""
    normal, anomalous = periods(began, noticed)
    made = [
        Series(one.labels["peer"], name, _at(one, normal), _at(one, anomalous), caller=one.labels["component"])
        for name in CALLED
        for one in _measured(name, frozen)
    ]
    made += [
        Series(one.labels["component"], name, _at(one, normal), _at(one, anomalous))
        for name in (*SERVED, *(LIVENESS if liveness else ()))
        for one in frozen.get(name, ())
        if one.labels.get("component", TOOLS[0]) not in TOOLS
    ]
    calls = frozenset((series.caller, series.component) for series in made if series.caller)
    made += _active(frozen.get(whitelist.CALLS_PER_S, ()), {callee for _, callee in calls}, normal, anomalous)
    return Case(tuple(made), calls, _symptom(alerts, noticed, {name for call in calls for name in call}))


def periods(began: float, noticed: float) -> tuple[Values, Values]:
    """Moments that are normal, and those that are asked about."""
    return np.arange(began + SETTLED_S, max(noticed - GUARD_S, began + SETTLED_S + FEWEST_S)), np.arange(noticed - LEAD_S, noticed + TAIL_S)


def _at(series: prometheus.Series, moments: Values) -> Values:
    by_second = {round(at): value for at, value in series.points}
    return np.array([by_second.get(round(moment), np.nan) for moment in moments])


def _measured(name: str, frozen: Frozen) -> Iterator[prometheus.Series]:
    """Signals of calls; how long they took is left out in seconds with so few that one of them is the mean."""
    rates = {_edge(one): dict(one.points) for one in frozen.get(whitelist.CALLS_PER_S, ())}
    for one in frozen.get(name, ()):
        rate = rates.get(_edge(one), {})
        few = name == whitelist.CALLS_SECONDS and rate
        yield (
            dataclasses.replace(one, points=[(at, value) for at, value in one.points if rate.get(at, 0.0) >= FEWEST_PER_S]) if few else one
        )


def _edge(one: prometheus.Series) -> tuple[str, str]:
    return one.labels["component"], one.labels["peer"]


def _active(calls: Sequence[prometheus.Series], called: Collection[str], normal: Values, anomalous: Values) -> list[Series]:
    """Nobody sees whether those work whom nobody calls, such as a worker on a stream, but for those that they call: seconds in which they did."""
    by_caller: dict[str, set[int]] = defaultdict(set)
    for one in calls:
        if one.labels["component"] not in called:
            by_caller[one.labels["component"]] |= {round(at) for at, value in one.points if value > 0}

    def share(seconds: Collection[int], moments: Values) -> Values:
        return np.array([float(round(moment) in seconds) for moment in moments])

    return [Series(caller, ACTIVE, share(seconds, normal), share(seconds, anomalous)) for caller, seconds in sorted(by_caller.items())]


def _symptom(alerts: Sequence[AlertSpan], noticed: float, components: Collection[str]) -> Symptom | None:
    """What users noticed by then, and at which service."""
    burning = [alert for alert in alerts if alert.name == SYMPTOM and abs(alert.fired_at - noticed) <= TAIL_S]
    first = min(burning, key=lambda alert: alert.fired_at, default=None)
    if first is None:
        return None
    doors = sorted(component for component in components if component.startswith(f"{first.labels.get('service')}-"))
    return Symptom(doors[0], "latency" if "latency" in first.labels.get("slo", "") else "errors") if doors else None
