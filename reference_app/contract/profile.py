"""Time constants, twice: what production systems use, and the lab's, short enough to play out within one drill.

A drill refuses to start when a lab constant exceeds half of its recovery phase (design §3).
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Profile:
    """Seconds unless the name says otherwise."""

    breaker_open_min: float
    """Jittered time for which a breaker refuses after it opened (finagle failure accrual: 5-300 s)."""
    breaker_open_max: float
    breaker_failures: int
    """Consecutive failures that open a breaker (finagle: 5)."""
    connect_timeout: float
    sql_timeout: float
    """One statement or commit, semi-sync wait included (tweetypie: Manhattan local 290 ms; a commit may wait for its replica)."""
    redis_timeout: float
    replica_reconnect: float
    """MASTER_CONNECT_RETRY (MariaDB: 60 s)."""
    stream_reconnect: float
    """nats-py reconnect_time_wait (default 2 s)."""
    stream_ack_wait: float
    tweet_cache_ttl: float
    """Hard TTL of a cached tweet, +-10 % (Twitter: 14 d). It bounds how long the cache can hide a dead shard."""
    people_cache_ttl: float
    """In-process copies of handles and followee lists. A follow or unfollow through the same process drops the copy at once."""
    partial_timeline_ttl: float
    """A list that was rebuilt without some shard is kept this long, so that it heals by itself."""
    delivery_give_up: float
    """A fan-out that could not reach a timeline cache for this long bumps the cache's epoch instead (FlockDB: 100 tries, 60 s apart)."""
    home_deadline: float
    post_deadline: float
    reconcile_every: float
    edge_check_every: float
    """The edge asks each gateway for its health this often; two answers alike decide (HAProxy: 2 s, fall 3, rise 2)."""
    edge_queue_timeout: float
    """A request that finds every gateway full waits this long at the edge, then it is shed."""
    outbox_keep: float
    trends_window: float
    """Trends compare the users of a hashtag in this window with those of the longer time before it."""
    trends_baseline: float


PRODUCTION = Profile(
    breaker_open_min=5, breaker_open_max=300, breaker_failures=5, connect_timeout=0.1, sql_timeout=0.3, redis_timeout=0.05,
    replica_reconnect=60, stream_reconnect=2, stream_ack_wait=30, tweet_cache_ttl=14 * 86400, people_cache_ttl=60, partial_timeline_ttl=60, delivery_give_up=6000,
    home_deadline=2, post_deadline=5, reconcile_every=10, edge_check_every=2, edge_queue_timeout=1, outbox_keep=3600,
    trends_window=3600, trends_baseline=86400,
)  # fmt: skip

LAB = Profile(
    breaker_open_min=0.5, breaker_open_max=5, breaker_failures=5, connect_timeout=0.3, sql_timeout=0.8, redis_timeout=0.25,
    replica_reconnect=1, stream_reconnect=0.1, stream_ack_wait=2, tweet_cache_ttl=10, people_cache_ttl=10, partial_timeline_ttl=2, delivery_give_up=10,
    home_deadline=2, post_deadline=2, reconcile_every=2, edge_check_every=0.5, edge_queue_timeout=0.5, outbox_keep=3600,
    trends_window=60, trends_baseline=600,
)  # fmt: skip

_HOW_FAR_BACK = ("outbox_keep", "trends_window", "trends_baseline")
"""What is kept or looked at for so long; nothing waits for it."""


def constants_over(limit_s: float, profile: Profile = LAB) -> dict[str, float]:
    """Time constants that exceed `limit_s` seconds, by name: a fault's effects would outlast the phase that has to show recovery."""
    skip = (*_HOW_FAR_BACK, "breaker_failures")
    values = {f.name: float(getattr(profile, f.name)) for f in fields(profile) if f.name not in skip}
    return {name: value for name, value in values.items() if value > limit_s}
