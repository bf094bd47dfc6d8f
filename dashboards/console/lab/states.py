"""How every component does: what the prober says, else what its process does. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from dashboards.console.lab.sight import Sight
from reference_app.contract import metrics
from reference_app.contract.metrics import Metric
from reference_app.contract.topology import Component
from reference_app.query.prometheus import Sample
from reference_app.stack.control import State

Condition = Literal["answers", "hangs", "down", "unknown", "runs"]

MEANINGS: dict[Condition, str] = {
    "answers": "answers a real question each second",
    "hangs": "takes connections, does not answer",
    "down": "does not run, or refuses",
    "unknown": "nobody knows: the prober is silent",
    "runs": "its process runs; nobody asks it",
}
_OF_PROCESS: dict[State, Condition] = {"running": "runs", "starting": "runs", "paused": "hangs"}
"""Every other state of a process is down."""


@dataclass(frozen=True)
class Health:
    """`faulty`: a fault is in force on it."""

    component: Component
    condition: Condition
    faulty: bool = False


def of(sight: Sight) -> dict[str, Health]:
    """Every component of the lab by name; none without a lab."""
    if sight.lab is None:
        return {}
    faulty = {name for active in sight.active for name in active.components}
    conditions = _told(sight.signals.state) if sight.signals else _guessed(sight)
    return {c.name: Health(c, conditions.get(c.name, "unknown"), c.name in faulty) for c in sight.lab.components}


def sick(healths: Iterable[Health]) -> list[str]:
    """Names of those that hang or are down."""
    return [health.component.name for health in healths if health.condition in ("hangs", "down")]


def values(samples: Iterable[Sample], metric: Metric, label: str = "component") -> dict[str, float]:
    """The samples of one metric by the value of a label."""
    return {sample.labels.get(label, ""): sample.value for sample in samples if sample.labels.get("__name__") == metric.name}


def open_breakers(samples: Iterable[Sample]) -> set[tuple[str, str]]:
    """(service, component) for each breaker that refuses calls now."""
    return {
        (sample.labels.get("service", ""), sample.labels.get("peer", ""))
        for sample in samples
        if sample.labels.get("__name__") == metrics.BREAKER_OPEN.name and sample.value
    }


def _told(samples: list[Sample]) -> dict[str, Condition]:
    hung = values(samples, metrics.COMPONENT_HUNG)
    return {name: "hangs" if hung.get(name) else "answers" if up else "down" for name, up in values(samples, metrics.COMPONENT_UP).items()}


def _guessed(sight: Sight) -> dict[str, Condition]:
    return {name: _OF_PROCESS.get(state, "down") for name, state in sight.processes.items()}
