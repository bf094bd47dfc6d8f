"""Cause alerts: what is broken, slow, full or behind, each with the component that is at fault. They are tickets, since only harmed users page."""

from __future__ import annotations

from dashboards.rules import cutoff, flow, liveness, model, slowness, stores, watching
from dashboards.rules.thresholds import Thresholds

NAME = "causes"


def group(limits: Thresholds) -> model.Group:
    """All causes and the heartbeat."""
    recordings = (*liveness.recordings(limits), *slowness.recordings(limits), *cutoff.recordings(limits), *stores.recordings(limits))
    seen_broken = (*liveness.alerts(limits), slowness.alert(limits), cutoff.alert(limits))
    alerts = (*seen_broken, *stores.alerts(limits), *flow.alerts(limits), *watching.alerts(limits))
    return model.Group(NAME, limits.evaluation_s, (*recordings, *alerts))
