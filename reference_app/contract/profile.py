"""Time constants, twice: what production systems use, and the lab's, short enough to play out within one drill.

A drill refuses to start when a lab constant exceeds half of its recovery phase (docs/adr/0006).
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
    breaker_success_rate: float
    """Share of successes in the window below which a breaker opens, if there were so many calls at all (finagle: 80 % of 30 s, at least 5)."""
    breaker_window: float
    breaker_calls_min: int
    retry_attempts: int
    """Of one call at one layer, the first included (tweetypie: 3)."""
    retry_backoff: float
    """Before the first retry, equal jitter; doubles (tweetypie: 10 ms)."""
    retry_budget_ttl: float
    """Deposits of a retry budget expire after this (finagle: 10 s)."""
    retry_budget_share: float
    """Retries per success, and the part of the balance that one request may use (finagle: 20 % both)."""
    retry_budget_reserve: float
    """Retries a second that need no success (finagle: 10). The lab's calls are a hundredth of production's: 10 a second would be half of them."""
    admission_window: float
    """Of the moving average of accepted calls (finagle nack admission: 2 min)."""
    service_concurrency: int
    """Requests worked on at once in one service; as many as `service_waiting` wait, the next gets a nack (finagle maxConcurrent, maxWaiters)."""
    service_waiting: int
    expired_window: float
    """Of expired requests at most this share of what came in the window is refused (finagle DeadlineFilter: 20 % of 10 s)."""
    expired_share: float
    warm_up: float
    """A service that started is ready when its dependencies answer, at the latest after this (tweetypie: 20 s)."""
    connect_timeout: float
    sql_timeout: float
    """One statement or commit, semi-sync wait included (tweetypie: Manhattan local 290 ms; a commit may wait for its replica)."""
    redis_timeout: float
    replica_reconnect: float
    """MASTER_CONNECT_RETRY (MariaDB: 60 s)."""
    replica_timeout: float
    """slave_net_timeout (MariaDB: 60 s): a replica whose primary says nothing for so long dials again; heartbeats come twice as often."""
    stream_reconnect: float
    """nats-py reconnect_time_wait (default 2 s)."""
    stream_ack_wait: float
    tweet_cache_ttl: float
    """Hard TTL of a cached tweet, +-10 % (Twitter: 14 d). It bounds how long the cache can hide a dead shard."""
    tweet_cache_soft_ttl: float
    """After this, +-10 %, a cached tweet is refreshed aside while readers get it as it is (tweetypie: hard 12 h, soft 1 h +-1 min)."""
    ejection_failures: int
    """Calls of a cache that fail in a row until a process leaves it out of its ring, where that is allowed (twemproxy: server_failure_limit 2) ..."""
    ejection: float
    """... for so long (twemproxy: server_retry_timeout 30 s)."""
    cache_lease: float
    """A reader who misses has the fill of the key to itself for so long (NSDI'13: 10 s), and others ..."""
    cache_lease_wait: float
    """... wait this long for it before they read the store themselves and fill nothing."""
    negative_ttl_min: float
    """"Not found" of a tweet below the young age; it grows to the most at the old age (tweetypie: 100 ms below 5 min, 1 d from 5 h)."""
    negative_ttl_max: float
    negative_young_age: float
    negative_old_age: float
    hot_key_ttl: float
    """In-process copies of hot tweets. With the time a cache takes to be marked it has to fit into the 5 s of a deletion (Servo: 10 s LRU)."""
    hot_key_reads: float
    """Reads a second from which on one process takes a tweet for hot (the lab's are a hundredth of a big service's)."""
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
    own_write_wait: float
    """A replica that is asked for what its reader wrote before waits this long for it (tweetypie: soft read-my-writes within a data center)."""
    promotion_after: float
    """A primary that refuses connections for this long is replaced, where the decider allows (orchestrator detects within seconds)."""
    promotion_every: float
    """The same shard is not promoted again before (orchestrator RecoveryPeriodBlockSeconds: 3600)."""
    ring_change_every: float
    """A ring of caches changes by one node, or a quarter of them, no more often (Twitter, 2016-07: 115 at once were an outage)."""
    recount_every: float
    """The counters of a hundred tweets of each shard are compared with the rows they count (tweetypie: counts soft 3 h, hard 24 h)."""
    recount_settle: float
    """A counter is put right when it was as wrong this long before: what is on its way has arrived by then."""
    slow_request: float
    """An answer that takes longer is an edge case, whose trace is kept (slo.yaml: home pages and posts within 500 ms)."""
    slow_delivery: float
    """The same of an acknowledged tweet on its way to its followers (slo.yaml: 5 s)."""
    edge_cases_rate: float
    """Edge cases a second that one process finds worth keeping ..."""
    edge_cases_burst: float
    """... after as many at once (Hindsight: rate-limited triggers)."""
    outbox_keep: float
    trends_window: float
    """Trends compare the users of a hashtag in this window with those of the longer time before it."""
    trends_baseline: float


PRODUCTION = Profile(
    breaker_open_min=5, breaker_open_max=300, breaker_failures=5, breaker_success_rate=0.8, breaker_window=30, breaker_calls_min=5,
    retry_attempts=3, retry_backoff=0.01, retry_budget_ttl=10, retry_budget_share=0.2, retry_budget_reserve=10, admission_window=120,
    service_concurrency=256, service_waiting=256, expired_window=10, expired_share=0.2, warm_up=20,
    connect_timeout=0.1, sql_timeout=0.3, redis_timeout=0.05,
    replica_reconnect=60, replica_timeout=60, stream_reconnect=2, stream_ack_wait=30, tweet_cache_ttl=14 * 86400, tweet_cache_soft_ttl=3600,
    ejection_failures=2, ejection=30, cache_lease=10, cache_lease_wait=0.1, negative_ttl_min=0.1, negative_ttl_max=86400, negative_young_age=300, negative_old_age=18000,
    hot_key_ttl=2, hot_key_reads=1000, people_cache_ttl=60, partial_timeline_ttl=60, delivery_give_up=6000,
    home_deadline=2, post_deadline=5, reconcile_every=10, edge_check_every=2, edge_queue_timeout=1, own_write_wait=0.1,
    promotion_after=10, promotion_every=3600, ring_change_every=600, slow_request=0.5, slow_delivery=5, edge_cases_rate=10, edge_cases_burst=50, outbox_keep=3600,
    recount_every=60, recount_settle=60, trends_window=3600, trends_baseline=86400,
)  # fmt: skip

LAB = Profile(
    breaker_open_min=0.5, breaker_open_max=5, breaker_failures=5, breaker_success_rate=0.8, breaker_window=5, breaker_calls_min=5,
    retry_attempts=3, retry_backoff=0.01, retry_budget_ttl=10, retry_budget_share=0.2, retry_budget_reserve=1, admission_window=10,
    service_concurrency=256, service_waiting=128, expired_window=10, expired_share=0.2, warm_up=3,
    connect_timeout=0.3, sql_timeout=0.8, redis_timeout=0.25,
    replica_reconnect=1, replica_timeout=4, stream_reconnect=0.1, stream_ack_wait=2, tweet_cache_ttl=10, tweet_cache_soft_ttl=8,
    ejection_failures=2, ejection=3, cache_lease=2, cache_lease_wait=0.1, negative_ttl_min=0.1, negative_ttl_max=10, negative_young_age=5, negative_old_age=60,
    hot_key_ttl=2, hot_key_reads=10, people_cache_ttl=10, partial_timeline_ttl=2, delivery_give_up=10,
    home_deadline=2, post_deadline=2, reconcile_every=2, edge_check_every=0.5, edge_queue_timeout=0.5, own_write_wait=0.1,
    promotion_after=3, promotion_every=30, ring_change_every=5, slow_request=0.5, slow_delivery=5, edge_cases_rate=25, edge_cases_burst=100, outbox_keep=3600,
    recount_every=2, recount_settle=1, trends_window=60, trends_baseline=600,
)  # fmt: skip

_HOW_FAR_BACK = ("promotion_every", "outbox_keep", "trends_window", "trends_baseline", "negative_young_age", "negative_old_age")
"""What is kept or looked at for so long; nothing waits for it."""

_NO_TIMES = (
    "breaker_failures", "breaker_success_rate", "breaker_calls_min", "retry_attempts", "retry_budget_share", "retry_budget_reserve",
    "service_concurrency", "service_waiting", "expired_share", "hot_key_reads", "ejection_failures",
    "slow_request", "slow_delivery", "edge_cases_rate", "edge_cases_burst",
)  # fmt: skip


def constants_over(limit_s: float, profile: Profile = LAB) -> dict[str, float]:
    """Time constants that exceed `limit_s` seconds, by name: a fault's effects would outlast the phase that has to show recovery."""
    skip = (*_HOW_FAR_BACK, *_NO_TIMES)
    values = {f.name: float(getattr(profile, f.name)) for f in fields(profile) if f.name not in skip}
    return {name: value for name, value in values.items() if value > limit_s}
