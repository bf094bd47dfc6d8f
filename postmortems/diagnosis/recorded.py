"""A case from a snapshot: what callers and servers measured, who called whom, and the moment of the first alert; nothing of the experiment.

Chaos labels, the experiment file, switched deciders and the supervisor's log are never read here: a diagnosis that saw them would know the answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from postmortems import heartbeat
from postmortems.diagnosis import callers, edges, states, voices
from postmortems.diagnosis.edges import Frozen
from postmortems.diagnosis.model import Case, Values
from postmortems.diagnosis.moments import Moments
from postmortems.evidence import Snapshot
from reference_app.query.prometheus import AlertSpan

LEAD_S, TAIL_S = 5.0, 15.0
"""Around the first alert: what is compared with the normal period."""
QUIET_S, GUARD_S, SETTLED_S, FEWEST_S = 30.0, 10.0, 10.0, 15
"""Alerts of the first seconds are of a load that begins. The seconds before an alert belong to nobody, nor do those after the load began. An alert of
a grey fault is later than that: then some of what it did counts as normal, which a median bears better than a normal period at another load."""
GIVEN_S = 5.0
"""After the step of a sham, somebody asks what is wrong."""


class NothingNoticedError(Exception):
    """No alert fired, so there is no moment to look at, or the signals were not frozen."""


def of_snapshot(snapshot: Snapshot, *, liveness: bool = False) -> Case:
    """The case of a recorded run. Raises NothingNoticedError."""
    if snapshot.series is None or snapshot.alerts is None:
        raise NothingNoticedError("the snapshot holds no signals: Prometheus could not be asked when it was frozen")
    began = snapshot.plan.t0
    first = first_alert(snapshot.alerts, since=began)
    if first is None:
        raise NothingNoticedError(
            f"nobody was told of anything that was measured in run {snapshot.plan.run_id}: Prometheus fired no alert once its load had settled"
        )
    return case(snapshot.series, began=began, noticed=first.fired_at, liveness=liveness)


def of_sham(snapshot: Snapshot) -> Case:
    """The case of somebody who suspects something although nothing was broken, at the moment at which an alert of the fault would have come.

    Raises NothingNoticedError.
    """
    if snapshot.series is None or snapshot.alerts is None:
        raise NothingNoticedError("the snapshot holds no signals: Prometheus could not be asked when it was frozen")
    return case(snapshot.series, began=snapshot.plan.t0, noticed=snapshot.plan.t0 + snapshot.plan.inject_at + GIVEN_S)


def first_alert(alerts: Sequence[AlertSpan], *, since: float) -> AlertSpan | None:
    """What told people first once the load had settled; None when nothing did, or only that Prometheus was silent: then there is nothing to ask."""
    told = [alert for alert in alerts if alert.name != heartbeat.MISSING and alert.fired_at >= since + QUIET_S]
    return min(told, key=lambda alert: alert.fired_at, default=None)


def named_by_alerts(snapshot: Snapshot) -> Counter[str]:
    """Alerts by the component that they name, as far as they had fired at the end of what is asked about."""
    first = first_alert(snapshot.alerts or (), since=snapshot.plan.t0)
    until = first.fired_at + TAIL_S if first else 0.0
    return Counter(alert.labels.get("component", "") for alert in snapshot.alerts or () if alert.fired_at < until)


def case(frozen: Frozen, *, began: float, noticed: float, liveness: bool = False) -> Case:
    """The case of what was noticed at a moment; times are Unix seconds, `began` is when the load did."""
    moments = Moments(*periods(began, noticed))
    calls = edges.calls(frozen)
    said = callers.excused([*edges.of(frozen, moments), *voices.of(frozen, moments)], frozen, moments)
    own = states.of(frozen, moments, liveness=liveness)
    made = (*said, *own, *states.active(frozen, {callee for _, callee in calls}, moments))
    return Case(made, calls)


def periods(began: float, noticed: float) -> tuple[Values, Values]:
    """Moments that are normal, and those that are asked about."""
    return np.arange(began + SETTLED_S, max(noticed - GUARD_S, began + SETTLED_S + FEWEST_S)), np.arange(noticed - LEAD_S, noticed + TAIL_S)
