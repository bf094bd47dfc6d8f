"""The eight dashboards: overview, services, shards, caches, stream, load, objectives, drills. Names of series come from the contract."""

from __future__ import annotations

from dashboards.grafana.model import Board, Panel, Query, Row
from dashboards.rules import model as rules
from dashboards.rules import slowness, stores, tickets, windows
from reference_app.contract import metrics
from reference_app.contract.metrics import Metric

FAULT_ONLY = "only while something is wrong"
LOAD_ONLY = "only while a load runs"
SLOW_ONLY = "only while somebody is slow"
EDGE_ONLY = "only in a lab with an edge"
_LONG, _SHORT = (rules.duration(seconds) for seconds in (windows.LAB.pairs[0].long_s, windows.LAB.pairs[0].short_s))


def _rate(metric: Metric, by: str, suffix: str = "", where: str = "") -> str:
    return f"sum by ({by}) (rate({metric.name}{suffix}{where}[10s]))"


def _quantile(share: float, metric: Metric, by: str, where: str = "") -> str:
    return f"histogram_quantile({share}, {_rate(metric, f'{by}, le' if by else 'le', '_bucket', where)})"


def _panel(title: str, unit: str, expr: str, legend: str, *, empty: str = "", number: bool = False) -> Panel:
    return Panel(title, unit, (Query(expr, legend),), empty, number)


def _ticket(name: str) -> str:
    return f'ALERTS{{alertname!="Watchdog",alertstate="firing",severity="{name}"}}'


_GATEWAY = '{service="gateway"}'
_FIRING = Row(
    "What fires",
    (
        _panel("Pages", "short", f"count({_ticket('page')}) or vector(0)", "pages", number=True),
        _panel("Tickets", "short", f"count({_ticket('ticket')}) or vector(0)", "tickets", number=True),
        _panel("By name", "short", 'count by (alertname, component, slo) (ALERTS{alertname!="Watchdog",alertstate="firing"})',
               "{{alertname}} {{slo}} {{component}}", empty=FAULT_ONLY),
    ),
)  # fmt: skip

OVERVIEW = Board(
    "failwhale-overview", "failwhale: overview", "Is anybody harmed, by what, and how much is going on?",
    (
        _FIRING,
        Row("Users", (
            _panel("Requests by route", "reqps", _rate(metrics.HTTP_SERVER, "http_route", "_count", _GATEWAY), "{{http_route}}"),
            _panel("Failed requests", "reqps", _rate(metrics.HTTP_SERVER, "http_route", "_count", '{service="gateway",http_response_status_code=~"5.."}'),
                   "{{http_route}}"),
            _panel("Home pages", "reqps", _rate(metrics.HOME_PAGES, "result"), "{{result}}"),
            _panel("Latency at the gateway, p99", "s", _quantile(0.99, metrics.HTTP_SERVER, "http_route", _GATEWAY), "{{http_route}}"),
        )),
        Row("Machine", (
            _panel("Components that answer", "short", f"sum by (kind) ({metrics.COMPONENT_UP.name})", "{{kind}}"),
            _panel("Pressure", "percentunit", metrics.PRESSURE.name, "{{resource}}"),
            _panel("Free disk", "bytes", metrics.DISK_FREE.name, "lab"),
        )),
    ),
)  # fmt: skip

SERVICES = Board(
    "failwhale-services", "failwhale: services", "Each service as its callers and as it itself sees it; what it refuses, tries again and gives up.",
    (
        Row("Requests", (
            _panel("Served", "reqps", _rate(metrics.HTTP_SERVER, "component", "_count"), "{{component}}"),
            _panel("Latency, p99", "s", _quantile(0.99, metrics.HTTP_SERVER, "component"), "{{component}}"),
            _panel("Calls that failed, as callers saw them", "reqps", _rate(metrics.HTTP_CLIENT, "component, peer, outcome", "_count", '{outcome!="ok"}'),
                   "{{component}} to {{peer}}: {{outcome}}"),
            _panel("Answers to callers, mean", "s", slowness.CALL_MEAN, "{{component}} to {{peer}}", empty=LOAD_ONLY),
        )),
        Row("Resilience", (
            _panel("Shed and refused", "reqps", f"{_rate(metrics.SHED, 'component')} or {_rate(metrics.NACKS, 'component')}", "{{component}}"),
            _panel("Waiting in line", "short", metrics.REQUESTS_WAITING.name, "{{component}}"),
            _panel("Retries", "reqps", _rate(metrics.RETRIES, "component, peer, outcome"), "{{component}} to {{peer}}: {{outcome}}"),
            _panel("Open breakers", "short", f"sum by (component, peer) ({metrics.BREAKER_OPEN.name})", "{{component}} to {{peer}}", empty=FAULT_ONLY),
        )),
        Row("Tools", (
            _panel("Prober's question, median", "s", tickets.PROBE_MEDIAN, "{{component}}"),
            _panel("Spans that did not arrive", "cps", _rate(metrics.SPANS_EXPORTED, "component, error_type", where='{error_type!=""}'),
                   "{{component}}: {{error_type}}"),
        )),
    ),
)  # fmt: skip

SHARDS = Board(
    "failwhale-shards", "failwhale: shards", "Databases: who answers, who takes writes, whose replica follows.",
    (
        Row("Standing", (
            _panel("Answers", "short", f'{metrics.COMPONENT_UP.name}{{kind="mariadb"}}', "{{component}}"),
            _panel("Primaries that are read-only", "short", metrics.PRIMARY_READ_ONLY.name, "{{component}}"),
            _panel("Replication runs", "short", metrics.REPLICATION_RUNNING.name, "{{component}}"),
            _panel("Replication lag", "s", metrics.REPLICATION_LAG.name, "{{component}}"),
            _panel("Semi-sync", "short", metrics.SEMI_SYNC_ON.name, "{{component}}"),
        )),
        Row("Work", (
            _panel("Operations, as callers saw them", "ops", _rate(metrics.DB_CLIENT, "peer", "_count", '{peer=~".+-db-.+"}'), "{{peer}}"),
            _panel("Operations that failed", "ops", _rate(metrics.DB_CLIENT, "peer, outcome", "_count", '{peer=~".+-db-.+",outcome!~"ok|duplicate"}'),
                   "{{peer}}: {{outcome}}", empty=FAULT_ONLY),
            _panel("Latency, p99", "s", _quantile(0.99, metrics.DB_CLIENT, "peer", '{peer=~".+-db-.+"}'), "{{peer}}"),
        )),
        Row("Room", (
            _panel("Connections in use", "percentunit", f'{metrics.CONNECTIONS.name}{{component=~".+-db-.+"}}', "{{component}}"),
            _panel("Free disk", "percentunit", metrics.STORE_DISK_FREE_SHARE.name, "{{component}}"),
            _panel("Clock, beside the prober's", "s", metrics.CLOCK_OFFSET.name, "{{component}}"),
        )),
    ),
)  # fmt: skip

CACHES = Board(
    "failwhale-caches", "failwhale: caches", "What caches find, throw away and hold, and what their misses cost.",
    (
        Row("Look-ups", (
            _panel("Hit rate", "percentunit", f'{stores.HIT_RATE}{{window="now"}}', "{{component}}"),
            _panel("Look-ups", "ops", f'{stores.LOOKUPS}{{window="now"}}', "{{component}}"),
            _panel("Reads of tweets", "ops", _rate(metrics.CACHE_READS, "cache, result"), "{{cache}} {{result}}"),
        )),
        Row("Room", (
            _panel("Evictions", "ops", _rate(metrics.CACHE_EVICTIONS, "component"), "{{component}}"),
            _panel("Memory", "percentunit", metrics.CACHE_MEMORY.name, "{{component}}"),
            _panel("Caches in the ring", "short", f"max by (group) ({metrics.RING_NODES.name})", "{{group}}"),
        )),
        Row("Misses", (
            _panel("Cold batches", "ops", _rate(metrics.COLD_BATCHES, "result"), "{{result}}"),
            _panel("Timelines rebuilt", "ops", _rate(metrics.REBUILDS, "result"), "{{result}}"),
        )),
    ),
)  # fmt: skip

STREAM = Board(
    "failwhale-stream", "failwhale: stream", "From a commit to the followers' timelines: outbox, stream, fan-out.",
    (
        Row("Waiting", (
            _panel("Not published", "short", metrics.OUTBOX_UNPUBLISHED.name, "{{shard}}"),
            _panel("Oldest of them", "s", metrics.OUTBOX_OLDEST.name, "{{shard}}"),
            Panel("Not taken, not acknowledged", "short", (Query(metrics.STREAM_PENDING.name, "{{consumer}}: not taken"),
                                                           Query(metrics.STREAM_UNACKNOWLEDGED.name, "{{consumer}}: not acknowledged"))),
            _panel("Dead letters", "short", f"sum by (component) ({metrics.DEAD_LETTERS.name})", "{{component}}"),
        )),
        Row("Delivered", (
            _panel("Deliveries", "ops", _rate(metrics.DELIVERIES, "result"), "{{result}}"),
            _panel("From acknowledgement to the last follower, p99", "s", _quantile(0.99, metrics.DELIVERY_SECONDS, ""), "p99"),
            _panel("Publishing, p99", "s", _quantile(0.99, metrics.STREAM_CLIENT, "peer", '{messaging_operation_name="publish"}'), "{{peer}}"),
        )),
    ),
)  # fmt: skip

LOAD = Board(
    "failwhale-load", "failwhale: load", "What is sent, what the gateway gets of it, and whether the generator may be believed.",
    (
        Row("Offered", (
            _panel("Requests at the gateway", "reqps", _rate(metrics.HTTP_SERVER, "http_route", "_count", _GATEWAY), "{{http_route}}"),
            _panel("Requests at the edge", "reqps", _rate(metrics.EDGE_REQUESTS, "proxy"), "{{proxy}}", empty=EDGE_ONLY),
            _panel("Posts by outcome", "reqps", _rate(metrics.POSTS, "result"), "{{result}}"),
        )),
        Row("Generator", (
            _panel("Sent", "reqps", f"sum(rate({metrics.LOAD_REQUESTS.name}[10s]))", "sent", empty=LOAD_ONLY),
            _panel("Lag behind the plan, p99", "s", _quantile(0.99, metrics.LOAD_LAG, ""), "p99", empty=LOAD_ONLY),
            Panel("Outstanding, dropped", "short", (Query(metrics.LOAD_OUTSTANDING.name, "outstanding"), Query(metrics.LOAD_DROPPED.name, "dropped")),
                  LOAD_ONLY),
        )),
        Row("Machine", (
            _panel("Pressure", "percentunit", metrics.PRESSURE.name, "{{resource}}"),
            _panel("Prober's question, median of all", "s", tickets.LAB_MEDIAN, "median"),
        )),
    ),
)  # fmt: skip

OBJECTIVES = Board(
    "failwhale-slo", "failwhale: objectives", "How fast the error budgets burn, over the windows that the alerts look at.",
    (
        Row("Burn", (
            _panel(f"Share of bad events, {_LONG}", "percentunit", f"slo:bad:ratio{_LONG}", "{{slo}}"),
            _panel(f"Share of bad events, {_SHORT}", "percentunit", f"slo:bad:ratio{_SHORT}", "{{slo}}"),
            _panel("Pages", "short", f"count by (slo) ({_ticket('page')})", "{{slo}}", empty=FAULT_ONLY),
        )),
        Row("Events", (
            _panel(f"Total, {_LONG}", "short", f"slo:total:increase{_LONG}", "{{slo}}"),
            _panel(f"Bad, {_LONG}", "short", f"slo:bad:increase{_LONG}", "{{slo}}"),
        )),
    ),
)  # fmt: skip

DRILLS = Board(
    "failwhale-drills", "failwhale: drills", "A fault, what users felt of it, and who told. Faults are annotations: `failwhale grafana push`.",
    (
        _FIRING,
        Row("Felt", (
            _panel("Home pages", "reqps", _rate(metrics.HOME_PAGES, "result"), "{{result}}"),
            _panel("Posts by outcome", "reqps", _rate(metrics.POSTS, "result"), "{{result}}"),
            _panel("Deliveries", "ops", _rate(metrics.DELIVERIES, "result"), "{{result}}"),
        )),
        Row("Parts", (
            _panel("Does not answer", "short", f"{metrics.COMPONENT_UP.name} == 0", "{{component}}", empty=FAULT_ONLY),
            _panel("Open breakers", "short", f"sum by (component, peer) ({metrics.BREAKER_OPEN.name})", "{{component}} to {{peer}}", empty=FAULT_ONLY),
            _panel("Slow", "s", f"{slowness.SLOW_ITSELF} or {slowness.SLOW_TO_CALLERS}", "{{component}}", empty=SLOW_ONLY),
        )),
    ),
)  # fmt: skip

BOARDS = (OVERVIEW, SERVICES, SHARDS, CACHES, STREAM, LOAD, OBJECTIVES, DRILLS)
