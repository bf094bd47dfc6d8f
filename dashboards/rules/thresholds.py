"""When a cause is worth a ticket: windows and limits of the cause alerts, for the lab and for production.

The lab's limits are the largest value of runs without a fault times a margin, read from recorded labs at the peak of `goal`
(small and standard, 600 s; docs/adr/0023 has the table); production's are what the sources beside them use.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thresholds:
    """Seconds unless the name says otherwise."""

    evaluation_s: int
    crash_s: int
    """Probes of this long find nothing: a crash that supervisord repairs at once is not an incident."""
    hang_s: int
    """A hang is told from slowness by its length."""
    settle_s: int
    """A component is given this long after it was down: reconnecting and warming up are no faults of their own."""
    rate_s: int
    """Rates and levels are of this window: short enough to end soon after the fault does."""
    median_s: int
    """The median of the prober's questions is of this window."""
    before_s: int
    """What a hit rate is compared with: so long, before the window of the rates."""
    told_s: int
    """A single event, such as a dead letter or a step of the clock, is told for this long."""
    starved_share: float
    """When more than this share of the lab hangs at once, the machine is starved and no component is at fault (seen on two busy cores)."""
    probe_slow: float
    """Median of the prober's question (quiet: 0.042; 0.1 while a lab starts)."""
    store_slow: float
    """Median of a caller's calls to a store (quiet: 0.018), timed out ones included. A bound of metrics.LATENCY_BUCKETS, as is the next."""
    service_slow: float
    """Median of the callers' calls to a service (quiet: 0.049; 0.3 for seconds when all rebuild at once); a page may take 0.5 (slo.yaml)."""
    caller_lags: float
    """Times the lag of a caller from which on what it calls is slow. (An overloaded caller saw its slowest callee 4.2 times as late as its fastest.)"""
    calls_rate: float
    """Fewer calls a second say nothing of a median."""
    replica_lag: float
    """Seconds_Behind_Master (quiet: 1)."""
    hit_rate_share: float
    """The hit rate of a cache, of what it was just before (quiet: 0.74; 0.70 where the tweets of a dead shard cannot be filled again)."""
    lookups_rate: float
    """Look-ups a second, now and all the time before, without which a hit rate says nothing: a load that starts finds a cold cache."""
    evictions_rate: float
    """(Quiet: none. A lab's caches hold everything; a full LRU cache in production evicts what nobody reads.)"""
    connections_share: float
    disk_free_share: float
    disk_free_bytes: float
    """Both: five percent of a big disk are days."""
    clock_offset: float
    """Snowflake ids are ordered by it. (Quiet: half the time of a question, 0.03.)"""
    backlog: float
    """Messages or rows that wait (quiet: 3): four seconds of the posts at the peak of a small lab."""
    oldest_s: float
    """Age of the oldest row of an outbox: a few that are stuck are no backlog. Longer than a drill's fault (40): so long the rows of a dead shard wait."""
    shed_rate: float
    """(Quiet: none.)"""
    retry_share: float
    """Retries of all calls to a group. A retry budget of 20 % keeps it at 0.17, and below 0.25 with its reserve at ..."""
    retries_rate: float
    """... this many a second. (Quiet: 0.4 a second.)"""
    refused_rate: float
    """Calls a second that found no connection of their own pool, and requests that found no room (quiet: none)."""
    memory_share: float
    """Of a cache that may not evict: beyond it writes are refused."""
    pressure_share: float
    """PSI of memory or io (quiet: 0.14). That of the CPU counts what others on the machine wait for, too; starved_share is used instead."""
    spans_rate: float
    """Spans a second that the collector did not take (quiet: none)."""


LAB = Thresholds(
    evaluation_s=1, crash_s=3, hang_s=5, settle_s=10, rate_s=5, median_s=10, before_s=20, told_s=20,
    starved_share=0.5, probe_slow=0.15, store_slow=0.05, service_slow=0.5, caller_lags=8, calls_rate=2, replica_lag=2, hit_rate_share=0.65, lookups_rate=50,
    evictions_rate=1, connections_share=0.9, disk_free_share=0.05, disk_free_bytes=2**30, clock_offset=0.5, backlog=30, oldest_s=60, shed_rate=1,
    retry_share=0.25, retries_rate=5, refused_rate=1, memory_share=0.95, pressure_share=0.5, spans_rate=1,
)  # fmt: skip

PRODUCTION = Thresholds(
    evaluation_s=30, crash_s=60, hang_s=60, settle_s=300, rate_s=300, median_s=300, before_s=3600, told_s=900,
    starved_share=0.5, probe_slow=0.15, store_slow=0.05, service_slow=0.5, caller_lags=8, calls_rate=2, replica_lag=30, hit_rate_share=0.9, lookups_rate=50,
    evictions_rate=100, connections_share=0.8, disk_free_share=0.1, disk_free_bytes=20 * 2**30, clock_offset=0.05, backlog=1000, oldest_s=300, shed_rate=1,
    retry_share=0.2, retries_rate=5, refused_rate=1, memory_share=0.9, pressure_share=0.2, spans_rate=10,
)  # fmt: skip
"""Samples every 15 s. Clock, lag, connections, disk and pressure: the limits of awesome-prometheus-alerts and of node-exporter's mixin;
the hit rate: 99.8 % that fell to 84 % was an outage of Twitter's (2016)."""
