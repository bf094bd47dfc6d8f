"""Did the fault reach traffic? Counted where it hurts: on the callers' side of the components that were hit."""

from __future__ import annotations

from collections.abc import Sequence

from reference_app.contract import metrics
from reference_app.query.prometheus import Prometheus

_CLIENTS = (metrics.DB_CLIENT, metrics.HTTP_CLIENT, metrics.STREAM_CLIENT)
_UNAFFECTED = "ok|duplicate|4xx"
_LOST = metrics.ROWS_MISSING
"""Whoever lost rows answers as if nothing were wrong: what was asked for in vain was affected."""
_EDGE = (metrics.EDGE_REDISPATCHES, metrics.EDGE_CONNECTION_ERRORS, metrics.EDGE_RESPONSE_ERRORS)
"""A failed attempt of the edge is in one of them: sent on to another gateway, or given up before or after it was sent."""


def affected_operations(prometheus: Prometheus, components: Sequence[str], *, start: float, end: float) -> int:
    """Calls to the components that failed or were not even tried between two moments (Unix seconds). Raises PrometheusUnreachableError."""
    peers = "|".join(components)
    calls = (f'{metric.name}_count{{peer=~"{peers}",outcome!~"{_UNAFFECTED}"}}' for metric in _CLIENTS)
    attempts = (f'{metric.name}{{server=~"{peers}"}}' for metric in _EDGE)
    lost = f'{_LOST.name}{{peer=~"{peers}"}}'
    return round(sum(prometheus.increase(selector, start, end) for selector in (*calls, *attempts, lost)))
