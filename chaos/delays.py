"""How much later than usual a fault makes what it touches, as it declares itself; slower calls than that are its work. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reference_app.contract import metrics

RETRANSMISSION_S = 0.2
"""Linux' shortest time until a lost packet is sent again."""
SYN_RETRY_S = 1.0
QUOTA_PERIOD_S = 0.1
SHARED_CORE_S = 0.025
"""Who shares a core with a busy loop waits for some of its slices."""


def declared(fault: str, parameters: Mapping[str, Any]) -> float | None:
    """Seconds, None for a fault that does not make late but fail, or that declares no time."""
    return _DECLARED[fault](parameters) if fault in _DECLARED else None


def bucket(delay_s: float) -> float:
    """The largest bound of the latency histograms that is not above the delay, or the smallest there is: what is slower is counted."""
    return max((bound for bound in metrics.LATENCY_BUCKETS if bound <= delay_s), default=metrics.LATENCY_BUCKETS[0])


def _latency(parameters: Mapping[str, Any]) -> float:
    attributes = parameters["toxics"][0]["attributes"]
    return max(0.0, float(attributes["latency"] - attributes.get("jitter", 0)) / 1000)


_DECLARED: dict[str, Callable[[Mapping[str, Any]], float]] = {
    "latency": _latency,
    "loss": lambda _: RETRANSMISSION_S,
    "syn_drop": lambda _: SYN_RETRY_S,
    "cpu_quota": lambda parameters: QUOTA_PERIOD_S * (100 - float(parameters["percent"])) / 100,
    "cpu_burn": lambda _: SHARED_CORE_S,
    "slow_queries": lambda parameters: float(parameters["hold_ms"]) / 2000,  # statements come at any moment of the hold
    "user_latency": lambda parameters: float(parameters["delay_ms"]) / 1000,
}
