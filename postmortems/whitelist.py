"""The queries that a snapshot freezes, by name. Nothing else is asked: evidence is chosen before anybody knows what it will show."""

from __future__ import annotations

from collections.abc import Sequence

from reference_app.contract import api, metrics
from reference_app.query.slo import Slo

_WHOLE = (
    metrics.HOME_PAGES, metrics.POSTS, metrics.DELIVERIES, metrics.DEAD_LETTERS, metrics.OUTBOX_UNPUBLISHED, metrics.REBUILDS,
    metrics.BREAKER_OPEN, metrics.COMPONENT_UP, metrics.COMPONENT_HUNG, metrics.REPLICATION_RUNNING, metrics.REPLICATION_LAG,
    metrics.SEMI_SYNC_ON, metrics.CACHE_HITS, metrics.CACHE_MISSES, metrics.STREAM_PENDING, metrics.PRESSURE, *metrics.EDGE_METRICS,
)  # fmt: skip
GATEWAY_REQUESTS = "gateway_requests"
"""Home reads and posts that the gateways answered, by status."""
_RATE_WINDOW = "5s"


def good_name(objective: Slo) -> str:
    """Name of the query for the good events of an objective."""
    return f"slo:{objective.name}:good"


def total_name(objective: Slo) -> str:
    """Name of the query for all events of an objective."""
    return f"slo:{objective.name}:total"


def queries(objectives: Sequence[Slo]) -> dict[str, str]:
    """PromQL by name: counters of the objectives, state of the components, rates by outcome and latency by service."""
    counters = {good_name(o): o.good_selector for o in objectives} | {total_name(o): o.total_selector for o in objectives}
    return counters | {metric.name: metric.name for metric in _WHOLE} | _derived()


def _derived() -> dict[str, str]:
    server, client, database = metrics.HTTP_SERVER.name, metrics.HTTP_CLIENT.name, metrics.DB_CLIENT.name
    return {
        GATEWAY_REQUESTS: f'{server}_count{{service="gateway",http_route=~"{api.HOME}|{api.TWEETS}"}}',
        "requests_by_status": f"sum by (service, http_response_status_code) (rate({server}_count[{_RATE_WINDOW}]))",
        "calls_by_outcome": f"sum by (peer, outcome) (rate({client}_count[{_RATE_WINDOW}]))",
        "queries_by_outcome": f"sum by (peer, outcome) (rate({database}_count[{_RATE_WINDOW}]))",
        "latency_p99": f"histogram_quantile(0.99, sum by (service, le) (rate({server}_bucket[{_RATE_WINDOW}])))",
    }
