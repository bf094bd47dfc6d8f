"""What Live asks Prometheus: one query per panel, all of the last five minutes at one second. Pure."""

from __future__ import annotations

from dashboards.rules import model, windows
from reference_app.contract import metrics
from reference_app.contract.metrics import Metric

SPAN_S = 300
"""How far charts look back."""
RATE = "5s"
"""Rates are over five scrapes: short enough for a spike, long enough not to flicker."""
FRESH = "3s"
"""An older sample of the prober is no news; without this Prometheus takes a sample for current for 5 minutes."""
MEDIAN, TAIL = 0.5, 0.99


def _fresh(*wanted: Metric) -> str:
    return f'last_over_time({{__name__=~"{"|".join(metric.name for metric in wanted)}"}}[{FRESH}])'


def _rate(selector: str, by: str) -> str:
    return f"sum by ({by}) (rate({selector}[{RATE}]))"


def _labelled(expression: str, label: str, value: object) -> str:
    return f'label_replace({expression}, "{label}", "{value}", "", "")'


def _either(*expressions: str) -> str:
    return "\nor ".join(expressions)


def _quantile(quantile: float) -> str:
    buckets = f'{{__name__=~"{metrics.HTTP_SERVER.name}_bucket|{metrics.DELIVERY_SECONDS.name}_bucket"}}'
    return _labelled(f"histogram_quantile({quantile}, {_rate(buckets, 'service, le')})", "quantile", quantile)


STATE = _fresh(
    metrics.COMPONENT_UP, metrics.COMPONENT_HUNG, metrics.REPLICATION_RUNNING, metrics.SEMI_SYNC_ON, metrics.BREAKER_OPEN, metrics.DISK_FREE
)
"""Asked for this moment only."""
LEVELS = _fresh(
    metrics.STREAM_PENDING, metrics.OUTBOX_UNPUBLISHED, metrics.OUTBOX_OLDEST, metrics.COUNTS_BEHIND, metrics.REPLICATION_LAG, metrics.PRESSURE,
)  # fmt: skip
STATUS = "http_response_status_code"
_EDGE = f'label_replace({_rate(metrics.EDGE_RESPONSES.name, "service, code")}, "{STATUS}", "$1", "code", "(.*)")'
REQUESTS = _either(
    _rate(f"{metrics.HTTP_SERVER.name}_count", f"service, {STATUS}"),
    _rate(f"{metrics.DELIVERY_SECONDS.name}_count", "service"),
    _EDGE,
)
"""Per service and status: those of the edge are classes (5xx), those of the fan-out are events that it delivered and have none."""
LATENCY = _either(_quantile(MEDIAN), _quantile(TAIL))
"""Seconds per service and `quantile`; those of the fan-out run from the acknowledgement to the end of the delivery."""
CACHES = _either(
    *(
        _labelled(_rate(metric.name, "component"), "what", what)
        for what, metric in (("hits", metrics.CACHE_HITS), ("misses", metrics.CACHE_MISSES), ("evictions", metrics.CACHE_EVICTIONS))
    )
)
OUTCOMES = _either(
    *(_labelled(_rate(metric.name, "result"), "what", what) for what, metric in (("pages", metrics.HOME_PAGES), ("posts", metrics.POSTS)))
)
"""What users got, per second: home pages and posts by result."""
_PAIR = windows.LAB.pairs[0]
SHORT, LONG = (f"slo:bad:ratio{model.duration(seconds)}" for seconds in (_PAIR.short_s, _PAIR.long_s))
BURNS = f'{{__name__=~"{SHORT}|{LONG}"}}'
"""Share of bad events per `slo`, over the short and the long window of the alert on its burn rate."""
HOUR = "1h"
SPENT = _either(
    *(
        _labelled(f"sum_over_time(slo:{what}:increase{model.duration(_PAIR.long_s)}[{HOUR}]) / {_PAIR.long_s}", "what", what)
        for what in ("bad", "total")
    )
)
"""Events of the last hour per `slo`. Asked for this moment only; sums over a window, evaluated each second, count every event once per second of it."""
