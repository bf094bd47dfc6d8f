"""Who watches the watchers: telemetry that does not arrive, targets without data, rules and notifications that fail, and the heartbeat."""

from __future__ import annotations

from dashboards.rules import model
from dashboards.rules.thresholds import Thresholds
from dashboards.rules.tickets import LAB_MEDIAN, ticket, was_down, within
from reference_app.contract import metrics
from reference_app.query.prometheus import WATCHDOG


def alerts(limits: Thresholds) -> tuple[model.Alert, ...]:
    return (_telemetry(limits), _no_data(limits), _alerting(limits), _watchdog())


def _telemetry(limits: Thresholds) -> model.Alert:
    window = within(limits.median_s)
    lost = (
        f'{metrics.SPANS_EXPORTED.name}{{error_type!=""}}', f'{metrics.SPANS_PROCESSED.name}{{error_type!=""}}',
        f'{metrics.COLLECTED_SPANS.name}{{result=~"rejected|dropped"}}',
    )  # fmt: skip
    expr = "\nor\n".join(f"sum(rate({selector}{window})) > {limits.spans_rate}" for selector in lost)
    return ticket(
        "TelemetryMissing", expr, "The collector misses {{ $value | humanize }} spans a second",
        {"component": "collector", "kind": "collector"},
    )  # fmt: skip


def _no_data(limits: Thresholds) -> model.Alert:
    """A target that answers the prober and not Prometheus, or that Prometheus does not know any more (told for a while)."""
    settled, window = within(limits.settle_s), within(limits.hang_s)
    silent = (
        f"max by (component, kind) (max_over_time(up{window})) == 0"
        f" and on (component) min_over_time({metrics.COMPONENT_UP.name}{settled}) == 1"
    )
    watched_before = f"last_over_time({LAB_MEDIAN}{within(3 * limits.evaluation_s)} offset {model.duration(limits.hang_s)})"
    vanished = (
        f"max by (component, kind) (present_over_time(up{within(limits.told_s)}))"
        f" unless on (component) present_over_time(up{window}) and on () ({watched_before})"
    )
    return ticket("NoData", f"({silent})\nor\n({vanished})", "Prometheus gets no data of {{ $labels.component }}")


def _alerting(limits: Thresholds) -> model.Alert:
    failing = f"sum by (component) (increase({metrics.RULE_FAILURES.name}{within(limits.told_s)})) > 0"
    unheard = f"sum(increase({metrics.NOTIFICATIONS_FAILED.name}{within(limits.told_s)})) > 0"
    to = f'label_replace({unheard}, "component", "alertmanager", "", "") unless on (component) {was_down(limits)}'
    return ticket("AlertingBroken", f"{failing}\nor\n({to})", "Alerts are not evaluated, or not passed on: {{ $labels.component }}")


def _watchdog() -> model.Alert:
    return model.Alert(
        WATCHDOG, "vector(1)", {"severity": "none", "component": "prometheus", "kind": "prometheus"},
        {"summary": "Always firing: when this is missing, alerting itself is broken", "runbook_url": model.runbook(WATCHDOG)},
    )  # fmt: skip
