"""Cause alerts of the lab: what the prober sees broken. They are tickets, since only harmed users page.

Every cause waits for the *latch* of its signal, a series that says "this was well since Prometheus runs" and that ends when evaluation
stops for `WINDOW`. So a lab that is still starting is quiet, and a component that stays down for an hour stays reported for an hour.
"""

from __future__ import annotations

from dashboards.rules import model
from reference_app.contract import metrics

WINDOW = "3s"
"""Three probes: a crash that supervisord repairs at once is not an incident."""
HUNG_WINDOW = "5s"
"""A hang is told from slowness by its length."""
STARVED_SHARE = 0.5
"""When more than this share of the lab hangs at once, the machine is starved and no component is at fault (seen on two busy cores)."""
SETTLE = "10s"
"""A pair is given this long after one of its members was down: reconnecting is not a fault of its own."""
WATCHDOG = "Watchdog"
_MEMBER = "-(?:primary|replica)"
"""How the name of a member of a pair ends, whichever role it has now."""

_UP, _SEEN_UP = "component:up:max3s", "component:up:seen"
_RUNNING, _SEEN_RUNNING = "replica:replication_running:max3s", "replica:replication_running:seen"
_HUNG_SHARE = "components:hung:share"
_SEMI_SYNC, _SEEN_SEMI_SYNC = "primary:semi_sync_on:max3s", "primary:semi_sync_on:seen"


def group() -> model.Group:
    """All causes and the heartbeat."""
    return model.Group("causes", 1, (*_recordings(), _down(), _hung(), _replication(), _semi_sync(), _watchdog()))


def _recordings() -> tuple[model.Recording, ...]:
    # The prober cannot say that it is dead itself; Prometheus can.
    up = f'max_over_time({metrics.COMPONENT_UP.name}[{WINDOW}]) or max_over_time(up{{kind="prober"}}[{WINDOW}])'
    running = f"max_over_time({metrics.REPLICATION_RUNNING.name}[{WINDOW}])"
    semi_sync = f"max_over_time({metrics.SEMI_SYNC_ON.name}[{WINDOW}])"
    return (
        model.Recording(_UP, f"max by (component, kind) ({up})"),
        _latch(_SEEN_UP, _UP),
        model.Recording(_HUNG_SHARE, f"avg({metrics.COMPONENT_HUNG.name})"),
        model.Recording(_RUNNING, f"max by (component, shard) ({running})"),
        _latch(_SEEN_RUNNING, _RUNNING),
        model.Recording(_SEMI_SYNC, f"max by (component, shard) ({semi_sync})"),
        _latch(_SEEN_SEMI_SYNC, _SEMI_SYNC),
    )


def _latch(record: str, signal: str) -> model.Recording:
    return model.Recording(record, f"{_latest(signal)} == 1 or {_latest(record)}")


def _latest(series: str) -> str:
    """By range, since an instant look-up finds what a Prometheus recorded that was stopped less than 5 minutes ago."""
    return f"last_over_time({series}[{WINDOW}])"


def _down() -> model.Alert:
    expr = (
        f"{_UP} == 0\n"
        f"and on (component) {_latest(_SEEN_UP)}\n"
        f"unless on (component) {metrics.COMPONENT_HUNG.name} == 1"
    )  # fmt: skip
    return _ticket("ComponentDown", expr, f"{{{{ $labels.component }}}} has not answered for {WINDOW}", {})


def _hung() -> model.Alert:
    expr = (
        f"min by (component, kind) (min_over_time({metrics.COMPONENT_HUNG.name}[{HUNG_WINDOW}])) == 1\n"
        f"and on (component) {_latest(_SEEN_UP)}\n"
        f"unless on () max_over_time({_HUNG_SHARE}[{HUNG_WINDOW}]) > {STARVED_SHARE}"
    )  # fmt: skip
    return _ticket("ComponentHung", expr, f"{{{{ $labels.component }}}} takes connections and has not answered for {HUNG_WINDOW}", {})


def _replication() -> model.Alert:
    expr = (
        f"{_RUNNING} == 0\n"
        f"and on (component) {_latest(_SEEN_RUNNING)}\n"
        f"unless on (component) {_was_down()}\n"
        f'unless on (shard) label_replace({_was_down(_MEMBER)}, "shard", "$1", "component", "(.+){_MEMBER}")'
    )
    summary = "{{ $labels.component }} does not replicate although its primary is up"
    return _ticket("ReplicationBroken", expr, summary, {"kind": "mariadb"})


def _semi_sync() -> model.Alert:
    expr = (
        f"{_SEMI_SYNC} == 0\n"
        f"and on (component) {_latest(_SEEN_SEMI_SYNC)}\n"
        f"unless on (component) {_was_down()}"
    )  # fmt: skip
    summary = "{{ $labels.component }} commits what no replica holds"
    return _ticket("SemiSyncOff", expr, summary, {"kind": "mariadb"})


def _was_down(suffix: str = "") -> str:
    """Components (of that name's ending) that were down at some time in the last SETTLE."""
    of = f'{{component=~".+{suffix}"}}' if suffix else ""
    return f"min_over_time({metrics.COMPONENT_UP.name}{of}[{SETTLE}]) == 0"


def _ticket(name: str, expr: str, summary: str, labels: dict[str, str]) -> model.Alert:
    return model.Alert(name, expr, {"severity": "ticket"} | labels, {"summary": summary, "runbook_url": model.runbook(name)})


def _watchdog() -> model.Alert:
    return model.Alert(
        WATCHDOG, "vector(1)", {"severity": "none", "component": "prometheus", "kind": "prometheus"},
        {"summary": "Always firing: when this is missing, alerting itself is broken", "runbook_url": model.runbook(WATCHDOG)},
    )  # fmt: skip
