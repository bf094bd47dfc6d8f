"""Did the fault reach traffic? Counted where it hurts: on the callers' side of the components that were hit."""

from __future__ import annotations

from collections.abc import Sequence

from reference_app.contract import metrics
from reference_app.query.prometheus import Prometheus

_CLIENTS = (metrics.DB_CLIENT, metrics.HTTP_CLIENT, metrics.STREAM_CLIENT)
_UNAFFECTED = "ok|duplicate|4xx"


def affected_operations(prometheus: Prometheus, components: Sequence[str], *, start: float, end: float) -> int:
    """Calls to the components that failed or were not even tried between two moments (Unix seconds). Raises PrometheusUnreachableError."""
    peers = "|".join(components)
    selectors = (f'{metric.name}_count{{peer=~"{peers}",outcome!~"{_UNAFFECTED}"}}' for metric in _CLIENTS)
    return round(sum(prometheus.increase(selector, start, end) for selector in selectors))
