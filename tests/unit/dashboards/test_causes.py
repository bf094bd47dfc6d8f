from __future__ import annotations

from dashboards.rules import causes, model, thresholds
from reference_app.contract import metrics
from reference_app.query.prometheus import WATCHDOG

ALERTS = {rule.name: rule for rule in causes.group(thresholds.LAB).rules if isinstance(rule, model.Alert)}


def test_causes_are_tickets_since_only_harmed_users_page() -> None:
    assert {alert.labels["severity"] for name, alert in ALERTS.items() if name != WATCHDOG} == {"ticket"}
    assert ALERTS[WATCHDOG].labels["severity"] == "none"


def test_names_of_series_come_from_the_contract() -> None:
    text = "".join(rule.expr for rule in causes.group(thresholds.LAB).rules)
    for metric in (metrics.COMPONENT_UP, metrics.COMPONENT_HUNG, metrics.REPLICATION_RUNNING, metrics.SEMI_SYNC_ON):
        assert metric.name in text
