from __future__ import annotations

import re

from dashboards.rules import burn, causes, inhibition, model, thresholds

KNOWN = {rule.name for rule in causes.group(thresholds.LAB).rules if isinstance(rule, model.Alert)} | {burn.ALERT}


def matcher(matchers: tuple[str, ...], label: str) -> str:
    """The expression of the matcher of that label."""
    (found,) = (m.split('"')[1] for m in matchers if m.startswith(f"{label}="))
    return found


def test_only_tickets_are_ever_muted() -> None:
    assert {matcher(one.target_matchers, "severity") for one in inhibition.inhibitions()} == {"ticket"}


def test_inhibitions_name_alerts_that_exist() -> None:
    named = {
        name
        for one in inhibition.inhibitions()
        for side in (one.source_matchers, one.target_matchers)
        for name in matcher(side, "alertname").split("|")
    }
    assert named <= KNOWN


def test_who_depends_on_a_group_is_muted_at_any_distance_and_nobody_else() -> None:
    (of_the_graph,) = (one for one in inhibition.inhibitions() if re.fullmatch(matcher_or(one), "graph-db-0-replica"))
    dependants = matcher(of_the_graph.target_matchers, "component")
    names = ("graph-0", "timelines-1", "fanout", "gateway-0", "edge-0", "users-0", "tweets-0", "graph-db-0", "events-0")
    assert [name for name in names if re.fullmatch(dependants, name)] == ["graph-0", "timelines-1", "fanout", "gateway-0", "edge-0"]


def test_a_fast_burn_mutes_the_slow_one_of_the_same_objective() -> None:
    (fast,) = (one for one in inhibition.inhibitions() if 'severity="page"' in one.source_matchers)
    assert matcher(fast.target_matchers, "alertname") == matcher(fast.source_matchers, "alertname") == burn.ALERT
    assert fast.equal == ("slo",)


def matcher_or(one: inhibition.Inhibition) -> str:
    return matcher(one.source_matchers, "component") if any(m.startswith("component=") for m in one.source_matchers) else "nothing"
