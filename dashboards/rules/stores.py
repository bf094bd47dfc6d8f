"""Causes in databases, caches and on disks: a lagging replica, a cold or evicting cache, no connections, no writes, no space, a wrong clock."""

from __future__ import annotations

from dashboards.rules import model
from dashboards.rules.thresholds import Thresholds
from dashboards.rules.tickets import ticket, unless_pair_was_down, was_down, within
from reference_app.contract import metrics

LOOKUPS, HIT_RATE = "cache:lookups:rate", "cache:hits:ratio"


def recordings(limits: Thresholds) -> tuple[model.Recording, ...]:
    """Look-ups a second and hit rate of each cache, now and just before; the label `window` tells them apart."""
    now, before = within(limits.crash_s), f"{within(limits.before_s)} offset {model.duration(limits.crash_s)}"
    return tuple(rule for name, window in (("now", now), ("before", before)) for rule in _lookups(name, window))


def alerts(limits: Thresholds) -> tuple[model.Alert, ...]:
    return (
        _lag(limits), _hit_rate(limits), _evictions(limits), _connections(limits), _read_only(limits), _disk(limits), _clock(limits),
    )  # fmt: skip


def _lookups(name: str, window: str) -> tuple[model.Recording, ...]:
    hits, misses = (f"sum by (component) (rate({metric.name}{window}))" for metric in (metrics.CACHE_HITS, metrics.CACHE_MISSES))
    labels = {"window": name}
    return (
        model.Recording(LOOKUPS, f"{hits} + {misses}", labels),
        model.Recording(HIT_RATE, f'{hits} / on (component) ({LOOKUPS}{{window="{name}"}} > 0)', labels),
    )


def _lag(limits: Thresholds) -> model.Alert:
    lag = f"min by (component, shard) (min_over_time({metrics.REPLICATION_LAG.name}{within(limits.crash_s)})) > {limits.replica_lag}"
    # A replica that was stopped catches up for a moment.
    restarted = f"unless on (component) min_over_time({metrics.REPLICATION_RUNNING.name}{within(limits.settle_s)}) == 0"
    return ticket(
        "ReplicationLag", f"{lag}\n{restarted}\n{unless_pair_was_down(limits)}",
        "{{ $labels.component }} is {{ $value | humanizeDuration }} behind its primary", {"kind": "mariadb"},
    )  # fmt: skip


def _hit_rate(limits: Thresholds) -> model.Alert:
    now, before = (f'max by (component) ({{series}}{{{{window="{window}"}}}})' for window in ("now", "before"))
    ratio = f"{now.format(series=HIT_RATE)} / {before.format(series=HIT_RATE)}"
    # Like is compared with like: a load that starts finds a cold cache, and one that ends asks for other things.
    steady = f'min_over_time({LOOKUPS}{{window="now"}}{within(limits.before_s + limits.crash_s)}) > {limits.lookups_rate}'
    alike = f"{now.format(series=LOOKUPS)} > 0.5 * {before.format(series=LOOKUPS)}"
    return ticket(
        "CacheHitRateLow",
        f"{ratio} < {limits.hit_rate_share}\nand on (component) {steady}\nand on (component) {alike}\nunless on (component) {was_down(limits)}",
        "{{ $labels.component }} finds {{ $value | humanizePercentage }} of the share of keys that it found before", {"kind": "redis"},
    )  # fmt: skip


def _evictions(limits: Thresholds) -> model.Alert:
    rate = f"sum by (component) (rate({metrics.CACHE_EVICTIONS.name}{within(limits.rate_s)})) > {limits.evictions_rate}"
    return ticket(
        "CacheEvictions", rate, "{{ $labels.component }} throws away {{ $value | humanize }} keys a second to make room", {"kind": "redis"}
    )


def _connections(limits: Thresholds) -> model.Alert:
    used = f"max by (component) (min_over_time({metrics.CONNECTIONS.name}{within(limits.crash_s)})) > {limits.connections_share}"
    return ticket("ConnectionsExhausted", used, "{{ $labels.component }} has {{ $value | humanizePercentage }} of its connections in use")


def _read_only(limits: Thresholds) -> model.Alert:
    refused = f"min by (component, shard) (min_over_time({metrics.PRIMARY_READ_ONLY.name}{within(limits.crash_s)})) == 1"
    return ticket("ShardReadOnly", refused, "{{ $labels.component }} is a primary that takes no writes", {"kind": "mariadb"})


def _disk(limits: Thresholds) -> model.Alert:
    window = within(limits.crash_s)
    share = f"max by (component) (max_over_time({metrics.STORE_DISK_FREE_SHARE.name}{window})) < {limits.disk_free_share}"
    free = f"max by (component) (max_over_time({metrics.STORE_DISK_FREE.name}{window})) < {limits.disk_free_bytes:.0f}"
    summary = "The disk of {{ $labels.component }} has {{ $value | humanizePercentage }} of its space left"
    return ticket("DiskFilling", f"{share}\nand on (component) {free}", summary)


def _clock(limits: Thresholds) -> model.Alert:
    window, far = within(limits.rate_s), limits.clock_offset
    offset = metrics.CLOCK_OFFSET.name
    apart = f"max by (component) (min_over_time({offset}{window}) > {far} or max_over_time({offset}{window}) < -{far})"
    moved = f"abs(max(delta({metrics.CLOCK_STEP.name}{within(limits.told_s)}))) > {far}"
    expr = f'{apart}\nor\nlabel_replace({moved}, "component", "host", "", "")'
    return ticket("ClockSkew", expr, "The clock of {{ $labels.component }} is off by {{ $value | humanizeDuration }}")
