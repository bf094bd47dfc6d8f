"""Which tickets Alertmanager mutes: effects of a cause that has a ticket of its own, along the directed calls of the topology. Never a page."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import yaml

from dashboards.rules import burn, model, slowness
from reference_app.contract.topology import SERVICE_EDGES

GONE = ("ComponentDown", "ComponentHung")
CAUSES = (*GONE, "ComponentSlow", "CallsCutOff", "ConnectionsExhausted", "ShardReadOnly", "DiskFilling")
"""What a component does to those who call it ..."""
EFFECTS = ("ComponentSlow", "ServiceSaturated", "RequestsShed", "RetriesAmplified", "StreamLag", "DeadLetters")
"""... and what they then have."""
OF_ITSELF = (
    "ComponentSlow", "CallsCutOff", "ServiceSaturated", "ConnectionsExhausted", "CacheHitRateLow", "CacheEvictions", "DiskFilling", "ClockSkew",
    "NoData", "ReplicationLag", "TelemetryMissing",
)  # fmt: skip
"""Tickets that say nothing more about a component that is down or hung."""
TICKET = 'severity="ticket"'


@dataclass(frozen=True)
class Inhibition:
    """While an alert matches the source, those that match the target are muted; `equal` names labels that both must share."""

    source_matchers: tuple[str, ...]
    target_matchers: tuple[str, ...]
    equal: tuple[str, ...] = ()


def inhibitions() -> tuple[Inhibition, ...]:
    """One for each group that is called, one for a component and itself, one for a machine that is starved, and fast burns mute slow ones."""
    host = (_names("ServiceSaturated"), 'component="host"')
    return (
        *(_along(group) for group in _called()),
        Inhibition((_names(*GONE),), (TICKET, _names(*OF_ITSELF)), ("component",)),
        Inhibition(host, (TICKET, _names("ComponentSlow", "ComponentHung", "StreamLag", "RequestsShed"))),
        Inhibition((_names(burn.ALERT), 'severity="page"'), (TICKET, _names(burn.ALERT)), ("slo",)),
    )


def render() -> str:
    """The `inhibit_rules` of an Alertmanager configuration."""
    listed = [{key: list(value) for key, value in asdict(one).items() if value} for one in inhibitions()]
    return model.HEADER + yaml.safe_dump({"inhibit_rules": listed}, sort_keys=False, width=10_000)


def _along(group: str) -> Inhibition:
    source = (_names(*CAUSES), f'component=~"{slowness.named(group)}"')
    return Inhibition(source, (TICKET, _names(*EFFECTS), f'component=~"{slowness.named(*_above(group))}"'))


def _called() -> tuple[str, ...]:
    return tuple(dict.fromkeys(callee for callees in SERVICE_EDGES.values() for callee in callees))


def _above(group: str) -> tuple[str, ...]:
    """Every group that calls this one, at whatever distance."""
    return tuple(caller for caller in SERVICE_EDGES if group in slowness.below(caller))


def _names(*alerts: str) -> str:
    return f'alertname=~"{"|".join(alerts)}"'
