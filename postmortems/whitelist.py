"""The queries that a snapshot freezes, by name. Nothing else is asked: evidence is chosen before anybody knows what it will show."""

from __future__ import annotations

from collections.abc import Sequence

from reference_app.contract import api, metrics
from reference_app.query.slo import Slo

_WHOLE = (
    metrics.HOME_PAGES, metrics.POSTS, metrics.DELIVERIES, metrics.DEAD_LETTERS, metrics.OUTBOX_UNPUBLISHED, metrics.REBUILDS,
    metrics.BREAKER_OPEN, metrics.COMPONENT_UP, metrics.COMPONENT_HUNG, metrics.REPLICATION_RUNNING, metrics.REPLICATION_LAG,
    metrics.COUNTS_BEHIND, metrics.SEMI_SYNC_ON, metrics.CACHE_HITS, metrics.CACHE_MISSES, metrics.STREAM_PENDING, metrics.PRESSURE, *metrics.EDGE_METRICS,
    metrics.CACHE_EVICTIONS, metrics.CACHE_MEMORY, metrics.CONNECTIONS, metrics.PRIMARY_READ_ONLY, metrics.STORE_DISK_FREE_SHARE,
    metrics.STREAM_UNACKNOWLEDGED, metrics.PROBE_SECONDS, metrics.ROWS_MISSING, metrics.SHED, metrics.NACKS, metrics.DAILY_LIMITS, metrics.RETRIES,
    metrics.COLD_BATCHES, metrics.REQUESTS_WAITING, metrics.SPANS_EXPORTED, metrics.NOTIFICATIONS_FAILED,
)  # fmt: skip
GATEWAY_REQUESTS = "gateway_requests"
"""Home reads and posts that the gateways answered, by status."""
CALLS_PER_S, CALLS_SECONDS, CALLS_FAILED = "calls_per_second", "calls_mean_seconds", "calls_failed_share"
"""Of the calls from one component to another as the caller saw them, by component and peer: what diagnosis walks along."""
CALLS_TIMED_OUT = "calls_timed_out_seconds"
"""Mean seconds after which a caller gave a call up: sooner than answers take, it is the caller who has no patience."""
SERVED_PER_S, SERVED_SECONDS, SERVED_FAILED = "served_per_second", "served_mean_seconds", "served_failed_share"
"""Of what a component served, as it saw it itself."""
_RATE_WINDOW = "5s"
_CLIENTS = {
    metrics.HTTP_CLIENT.name: 'http_route!="/health"',
    metrics.DB_CLIENT.name: 'db_operation_name!="PING"',
    metrics.STREAM_CLIENT.name: "",
}
"""Without what is asked to see who lives: diagnosis has to do without it."""
_GOOD = "ok|duplicate|4xx"
_GIVEN_UP = "timeout"


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
        **_called(),
        **_served(server),
        "latency_p99": f"histogram_quantile(0.99, sum by (service, le) (rate({server}_bucket[{_RATE_WINDOW}])))",
    }


def _called() -> dict[str, str]:
    per_s, seconds, failed, given_up = [], [], [], []
    for name, asked in _CLIENTS.items():
        calls = f"sum by (component, peer) (rate({name}_count{{{asked}}}[{_RATE_WINDOW}]))"
        per_s.append(calls)
        seconds.append(f"sum by (component, peer) (rate({name}_sum{{{asked}}}[{_RATE_WINDOW}])) / {calls}")
        bad = f'sum by (component, peer) (rate({name}_count{{outcome!~"{_GOOD}",{asked}}}[{_RATE_WINDOW}]))'
        failed.append(f"({bad} or {calls} * 0) / {calls}")
        late = f'{{outcome="{_GIVEN_UP}",{asked}}}[{_RATE_WINDOW}]'
        given_up.append(f"sum by (component, peer) (rate({name}_sum{late})) / sum by (component, peer) (rate({name}_count{late}))")
    by_name = {CALLS_PER_S: per_s, CALLS_SECONDS: seconds, CALLS_FAILED: failed, CALLS_TIMED_OUT: given_up}
    return {name: " or ".join(parts) for name, parts in by_name.items()}


def _served(server: str) -> dict[str, str]:
    requests, failed = f"{server}_count", f'{server}_count{{http_response_status_code=~"5.."}}'

    def per_component(series: str) -> str:
        return f"sum by (component) (rate({series}[{_RATE_WINDOW}]))"

    every = per_component(requests)
    return {
        SERVED_PER_S: every,
        SERVED_SECONDS: f"{per_component(f'{server}_sum')} / {every}",
        SERVED_FAILED: f"({per_component(failed)} or {every} * 0) / {every}",
    }
