"""Causes in what flows through the app: events that wait or died, requests shed, unknown limits, retries that multiply, full queues."""

from __future__ import annotations

from dashboards.rules import model
from dashboards.rules.thresholds import Thresholds
from dashboards.rules.tickets import starved, ticket, within
from reference_app.contract import metrics


def alerts(limits: Thresholds) -> tuple[model.Alert, ...]:
    return (_stream_lag(limits), _dead_letters(limits), _shed(limits), _retries(limits), _limits_unknown(limits), _saturated(limits))


def _stream_lag(limits: Thresholds) -> model.Alert:
    """The consumer that does not keep up, or the service whose outbox does not empty: too many rows wait, or one waits too long."""
    window = within(limits.crash_s)
    waiting = " + ".join(f"min_over_time({m.name}{window})" for m in (metrics.STREAM_PENDING, metrics.STREAM_UNACKNOWLEDGED))
    consumer = f'label_replace(max by (consumer) ({waiting}) > {limits.backlog}, "component", "$1", "consumer", "(.+)")'
    rows = f"sum by (component) (min_over_time({metrics.OUTBOX_UNPUBLISHED.name}{window}))"
    stuck = f"{rows} and max by (component) (min_over_time({metrics.OUTBOX_OLDEST.name}{window})) > {limits.oldest_s}"
    waits = "\nor\n".join((consumer, f"{rows} > {limits.backlog}", stuck))
    return ticket("StreamLag", waits, "{{ $value | humanize }} events wait for {{ $labels.component }}")


def _dead_letters(limits: Thresholds) -> model.Alert:
    dead = f"sum by (component) (increase({metrics.DEAD_LETTERS.name}{within(limits.told_s)})) > 0"
    return ticket("DeadLetters", dead, "{{ $labels.component }} gave up on events, which wait for a person")


def _shed(limits: Thresholds) -> model.Alert:
    rates = (
        f"sum by (component) (rate({metric.name}{within(limits.rate_s)})) > {limits.shed_rate}" for metric in (metrics.SHED, metrics.NACKS)
    )
    return ticket("RequestsShed", "\nor\n".join(rates), "{{ $labels.component }} refuses {{ $value | humanize }} requests a second")


def _retries(limits: Thresholds) -> model.Alert:
    window = within(limits.rate_s)
    made = _by_group(f'rate({metrics.RETRIES.name}{{outcome=~"ok|failed"}}{window})', "(.+)")
    clients = "|".join(f"{metric.name}_count" for metric in (metrics.HTTP_CLIENT, metrics.DB_CLIENT))
    calls = _by_group(f'rate({{__name__=~"{clients}"}}{window})', "(.+?)-[0-9]+(?:-primary|-replica)?")
    expr = f"max by (component) ({made} / {calls} > {limits.retry_share} and {made} > {limits.retries_rate})"
    return ticket("RetriesAmplified", expr, "{{ $value | humanizePercentage }} of the calls of {{ $labels.component }} are retries")


def _limits_unknown(limits: Thresholds) -> model.Alert:
    """Users are refused, or let through, by a limit that nobody knows: no objective sees a 429 (Twitter, 2023-02)."""
    unknown = f'sum by (component) (rate({metrics.DAILY_LIMITS.name}{{result=~"unknown_.+"}}{within(limits.rate_s)})) > 0'
    return ticket("LimitsUnknown", unknown, "{{ $labels.component }} finds no daily limit for {{ $value | humanize }} posts a second")


def _by_group(series: str, peer: str) -> str:
    """A retry is told by group and a call by component: tweets-db-0-replica is of tweets-db."""
    return f'sum by (component, group) (label_replace({series}, "group", "$1", "peer", "{peer}"))'


def _saturated(limits: Thresholds) -> model.Alert:
    """Queues and pools of a service, memory of a cache that may not evict, the machine itself (component `host`)."""
    window, rate = within(limits.rate_s), within(limits.rate_s)
    refused = (
        f'{metrics.DB_CLIENT.name}_count{{outcome="pool_exhausted"}}',
        f'{metrics.KEYVALUE_OPERATIONS.name}{{result="overloaded"}}',
    )
    host = f'max(min_over_time({metrics.PRESSURE.name}{{resource=~"memory|io"}}{window})) > {limits.pressure_share} or max({starved(limits, throughout=True)})'
    conditions = (
        *(f"max by (component) (min_over_time({metric.name}{window})) > 0" for metric in (metrics.REQUESTS_WAITING, metrics.EDGE_QUEUE)),
        *(f"sum by (component) (rate({selector}{rate})) > {limits.refused_rate}" for selector in refused),
        f'max by (component) (min_over_time({metrics.CACHE_MEMORY.name}{{component=~"timeline-cache-.+"}}{window})) > {limits.memory_share}',
        f'label_replace({host}, "component", "host", "", "")',
    )
    return ticket("ServiceSaturated", "\nor\n".join(conditions), "{{ $labels.component }} has more work than it can take")
