"""Down, hung, replication broken, semi-sync off: what the prober sees broken."""

from __future__ import annotations

from dashboards.rules import model
from dashboards.rules.thresholds import Thresholds
from dashboards.rules.tickets import (
    HUNG_SHARE,
    SEEN_UP,
    UNRESPONSIVE,
    UP,
    latch,
    latest,
    starved,
    ticket,
    unless_pair_was_down,
    was_down,
    within,
)
from reference_app.contract import metrics

RUNNING, SEEN_RUNNING = "replica:replication_running:recent", "replica:replication_running:seen"
SEMI_SYNC, SEEN_SEMI_SYNC = "primary:semi_sync_on:recent", "primary:semi_sync_on:seen"
ANSWERS = "component:answers:rate"
_ANSWERS_RATE = 0.5
"""Answers a second that callers get of a component which the prober finds hung: it is slow then."""


def recordings(limits: Thresholds) -> tuple[model.Recording, ...]:
    window = within(limits.crash_s)
    # The prober cannot say that it is dead itself; Prometheus can.
    up = f'max_over_time({metrics.COMPONENT_UP.name}{window}) or max_over_time(up{{kind="prober"}}{window})'
    return (
        model.Recording(UP, f"max by (component, kind) ({up})"),
        latch(SEEN_UP, UP, limits),
        model.Recording(HUNG_SHARE, f"avg({metrics.COMPONENT_HUNG.name})"),
        _answers(window),
        _unresponsive(),
        model.Recording(RUNNING, f"max by (component, shard) (max_over_time({metrics.REPLICATION_RUNNING.name}{window}))"),
        latch(SEEN_RUNNING, RUNNING, limits),
        model.Recording(SEMI_SYNC, f"max by (component, shard) (max_over_time({metrics.SEMI_SYNC_ON.name}{window}))"),
        latch(SEEN_SEMI_SYNC, SEMI_SYNC, limits),
    )


def alerts(limits: Thresholds) -> tuple[model.Alert, ...]:
    return (_down(limits), _hung(limits), _replication(limits), _semi_sync(limits))


def _answers(window: str) -> model.Recording:
    counts = f"{metrics.HTTP_CLIENT.name}_count|{metrics.DB_CLIENT.name}_count"
    answers = f'sum by (peer) (rate({{__name__=~"{counts}",outcome=~"ok|duplicate"}}{window}))'
    return model.Recording(ANSWERS, f'label_replace({answers}, "component", "$1", "peer", "(.+)")')


def _unresponsive() -> model.Recording:
    expr = f"max by (component) ({metrics.COMPONENT_UP.name} == bool 0) == 1 unless on (component) {ANSWERS} > {_ANSWERS_RATE}"
    return model.Recording(UNRESPONSIVE, expr)


def _down(limits: Thresholds) -> model.Alert:
    expr = (
        f"{UP} == 0\n"
        f"and on (component) {latest(SEEN_UP, limits)}\n"
        f"unless on (component) {metrics.COMPONENT_HUNG.name} == 1"
    )  # fmt: skip
    return ticket("ComponentDown", expr, f"{{{{ $labels.component }}}} has not answered for {model.duration(limits.crash_s)}")


def _hung(limits: Thresholds) -> model.Alert:
    hung = f"min by (component, kind) (min_over_time({metrics.COMPONENT_HUNG.name}{within(limits.hang_s)})) == 1"
    expr = (
        f"{hung}\n"
        f"and on (component) {latest(SEEN_UP, limits)}\n"
        f"unless on (component) {ANSWERS} > {_ANSWERS_RATE}\n"
        f"unless on () {starved(limits)}"
    )  # fmt: skip
    return ticket(
        "ComponentHung", expr, f"{{{{ $labels.component }}}} takes connections and has not answered for {model.duration(limits.hang_s)}"
    )


def _replication(limits: Thresholds) -> model.Alert:
    expr = f"{RUNNING} == 0\nand on (component) {latest(SEEN_RUNNING, limits)}\n{unless_pair_was_down(limits)}"
    return ticket("ReplicationBroken", expr, "{{ $labels.component }} does not replicate although its primary is up", {"kind": "mariadb"})


def _semi_sync(limits: Thresholds) -> model.Alert:
    expr = (
        f"{SEMI_SYNC} == 0\n"
        f"and on (component) {latest(SEEN_SEMI_SYNC, limits)}\n"
        f"unless on (component) {was_down(limits)}"
    )  # fmt: skip
    return ticket("SemiSyncOff", expr, "{{ $labels.component }} commits what no replica holds", {"kind": "mariadb"})
