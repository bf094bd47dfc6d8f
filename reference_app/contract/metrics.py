"""Names of every metric and label: written once, here. Code, rules, probes and charts read them.

Durations are histograms in seconds and carry their label names; OpenTelemetry semantic conventions give the names, Prometheus
naming the units. Each scrape target adds `component`, `service` (its group) and `kind`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
"""Upper bounds in seconds, shared by all latency histograms so that they can be merged."""


@dataclass(frozen=True)
class Metric:
    """`name` is the exposed name without suffixes such as `_bucket`; `labels` are the ones the process sets itself."""

    name: str
    type: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str


HTTP_SERVER = Metric(
    "http_server_request_duration_seconds", "histogram", ("http_request_method", "http_route", "http_response_status_code"),
    "Requests as the callee saw them. http_route is the route template.",
)  # fmt: skip
HTTP_CLIENT = Metric(
    "http_client_request_duration_seconds", "histogram", ("peer", "http_route", "outcome"),
    "Requests as the caller saw them. peer is the component called; outcome is ok, 4xx, 5xx, timeout, refused, lost or abandoned.",
)  # fmt: skip
DB_CLIENT = Metric(
    "db_client_operation_duration_seconds", "histogram", ("peer", "db_operation_name", "outcome"),
    "MariaDB and Redis calls on the caller's side. outcome is ok, duplicate, error, timeout, refused, lost, breaker_open, pool_exhausted, read_only or abandoned.",
)  # fmt: skip
STREAM_CLIENT = Metric(
    "messaging_client_operation_duration_seconds", "histogram", ("peer", "messaging_operation_name", "outcome"),
    "Publishes and fetches on the event stream.",
)  # fmt: skip
HOME_PAGES = Metric(
    "failwhale_home_pages_total", "counter", ("result",), "Home pages served by the gateway: complete, or partial (something was dropped)."
)
POSTS = Metric(
    "failwhale_posts_total", "counter", ("result",),
    "Posts by outcome: acknowledged, replayed, indeterminate, refused; diverted, too, if acknowledged by a shard other than the key's home.",
)  # fmt: skip
DELIVERIES = Metric(
    "failwhale_timeline_deliveries_total", "counter", ("result",),
    "Timelines a tweet was pushed to (pushed) or that do not exist (absent); celebrity counts tweets that are merged at read instead.",
)  # fmt: skip
DELIVERY_SECONDS = Metric(
    "failwhale_delivery_duration_seconds", "histogram", (), "From the acknowledgement of a tweet to the end of its fan-out."
)
DEAD_LETTERS = Metric(
    "failwhale_dead_letters_total", "counter", (), "Events that fan-out put aside: no events, exhausted deliveries, a cache given up on."
)
OUTBOX_UNPUBLISHED = Metric("failwhale_outbox_unpublished", "gauge", ("shard",), "Outbox rows that the relay has not published yet.")
OUTBOX_OLDEST = Metric(
    "failwhale_outbox_oldest_seconds", "gauge", ("shard",), "Age of the oldest outbox row that the relay has not published yet; 0 without one.",
)  # fmt: skip
RECONCILED = Metric("failwhale_reconciled_twins_total", "counter", (), "Later twins of a key that the reconciler tombstoned.")
REBUILDS = Metric("failwhale_timeline_rebuilds_total", "counter", ("result",), "Timelines rebuilt on a miss: complete or partial.")
CACHE_READS = Metric("failwhale_cache_reads_total", "counter", ("cache", "result"), "Cache look-ups: hit or miss, per item.")
CACHE_LEASES = Metric(
    "failwhale_cache_leases_total", "counter", ("result",),
    "Lease-gets on the tweet caches, per key: granted, waited (another holds it), refused (a fill that came after its token was void).",
)  # fmt: skip
CACHE_STALE = Metric(
    "failwhale_cache_stale_served_total",
    "counter",
    (),
    "Tweets served from the caches past their soft TTL, while one reader refreshes them.",
)
CACHE_NEGATIVE_HITS = Metric(
    "failwhale_cache_negative_hits_total", "counter", (), 'Reads answered by a remembered "there is no such tweet", per tweet.'
)
HOT_KEYS_SERVED = Metric(
    "failwhale_hot_keys_served_total", "counter", (), "Hot tweets served from the process itself, which asks no cache for them."
)
COLD_BATCHES = Metric(
    "failwhale_cold_batches_total", "counter", ("result",), "Reads of tweets from a shard, of what no cache had: served or failed."
)
ROWS_MISSING = Metric(
    "failwhale_rows_missing_total", "counter", ("peer",),
    "Ids that were asked for and of which the primary of their shard has no row, not even a tombstone. Rows are never deleted: a loss shows here.",
)  # fmt: skip
SIMULATED_COLD_STORE = Metric(
    "failwhale_simulated_cold_store_batches_total", "counter", ("result",),
    "SIMULATED device (decider simulated_cold_store): cold batches that got a slot at_once, that waited for one, or were refused one.",
)  # fmt: skip
SIMULATED_WORKERS = Metric(
    "failwhale_simulated_page_workers_pages_total", "counter", ("result",),
    "SIMULATED device (decider simulated_page_workers): home pages that got a worker at_once, that waited for one, or were refused one.",
)  # fmt: skip
RING_NODES = Metric("failwhale_ring_nodes", "gauge", ("group",), "Caches in the ring of a group, as this process has it.")
BREAKER_OPEN = Metric(
    "failwhale_breaker_open", "gauge", ("peer", "calls"),
    "1 while the breaker to that component refuses calls: all of them, or of a database its reads or its writes, those of a tenant apart.",
)  # fmt: skip
SHED = Metric(
    "failwhale_requests_shed_total", "counter", ("http_route", "criticality"),
    "Requests that the gateway refused at once because too many were under way, or because reads are shed on purpose.",
)  # fmt: skip
DAILY_LIMITS = Metric(
    "failwhale_daily_limits_total", "counter", ("result",),
    "Posts to which a daily limit had something to say: over it; or nobody knew it, and they were unknown_refused or unknown_allowed.",
)  # fmt: skip
RETRIES = Metric(
    "failwhale_retries_total", "counter", ("peer", "policy", "outcome"),
    "Second and third attempts of calls to a group, by policy: ok, failed; or not made: over_budget, no_time.",
)  # fmt: skip
RETRY_BUDGET = Metric("failwhale_retry_budget_balance", "gauge", ("peer",), "Retries to the group that could be paid for now.")
NACKS = Metric(
    "failwhale_nacks_total",
    "counter",
    ("http_route",),
    "Requests refused before any work was done: as many as may were worked on and waited.",
)
REQUESTS_WAITING = Metric("failwhale_requests_waiting", "gauge", (), "Requests that wait in line because as many as may are worked on.")
ADMISSION_DROPS = Metric(
    "failwhale_admission_drops_total", "counter", ("peer",), "Calls that were not made because the group refused most of the last ones."
)
EXPIRED = Metric(
    "failwhale_expired_requests_total", "counter", ("result",),
    "Requests whose caller waited no more when they came: refused, or begun because too many were refused already or refusing is off.",
)  # fmt: skip
CELEBRITY_MERGES = Metric(
    "failwhale_celebrity_merges_total", "counter", (), "Home reads that merged celebrities' tweets, which are not fanned out."
)
REPLIES_BEFORE_ORIGINAL = Metric(
    "failwhale_replies_before_original_total", "counter", (),
    "Replies on a home page whose original, by an author the reader follows, should be there too and is not yet.",
)  # fmt: skip
REQUEST_FAULTS = Metric(
    "failwhale_request_faults_total", "counter", ("fault",),
    "Requests that met here the fault that they, or a drill for their user, asked for: error, nack-once, delay; none is the group to compare with.",
)  # fmt: skip
INDEXED_TWEETS = Metric("failwhale_search_indexed_tweets", "gauge", (), "Tweets that search holds in memory.")
KEYVALUE_OPERATIONS = Metric(
    "failwhale_keyvalue_operations_total", "counter", ("tenant", "access", "result"),
    "Operations of the key-value tier: ok, quota_exceeded (the tenant used up what it may), overloaded (all its connections are busy) or failed.",
)  # fmt: skip
KEYVALUE_ENGINE = Metric(
    "failwhale_keyvalue_engine", "gauge", ("dataset", "engine"), "1 for the storage engine that a dataset of the key-value tier has."
)
COUNTS_BEHIND = Metric(
    "failwhale_counts_behind", "gauge", ("shard",), "Likes and retweets that the counters of the key-value tier do not have yet."
)
COUNTS_REPAIRED = Metric(
    "failwhale_counts_repaired_total", "counter", (), "Counters that did not agree with the rows they count and were put right."
)
SPANS_PROCESSED = Metric(
    "otel_sdk_processor_span_processed_total", "counter", ("error_type",),
    "Spans that left the processor's queue; error_type is empty, or queue_full for those that were dropped.",
)  # fmt: skip
SPANS_EXPORTED = Metric(
    "otel_sdk_exporter_span_exported_total", "counter", ("error_type",),
    "Spans that the collector took (error_type empty), or did not: timeout, refused, rejected.",
)  # fmt: skip
EDGE_CASES = Metric(
    "failwhale_edge_cases_total", "counter", ("reason", "fate"),
    "Traces found worth keeping: announced to the other processes, lost (they could not be told), dropped (too many a second), received from "
    "another process; and of those announced or received the ones whose beginning had been overwritten here.",
)  # fmt: skip
HINDSIGHT_NOTES = Metric(
    "failwhale_hindsight_notes_total", "counter", ("fate",),
    "Operations of traces that are not sampled: noted, and exported as spans afterwards.",
)  # fmt: skip
HINDSIGHT_REACH = Metric("failwhale_hindsight_reach_seconds", "gauge", (), "Age of the oldest operation that the process still remembers.")
SERVICE_METRICS = (
    HTTP_SERVER, HTTP_CLIENT, DB_CLIENT, STREAM_CLIENT, HOME_PAGES, POSTS, DELIVERIES, DELIVERY_SECONDS, DEAD_LETTERS,
    OUTBOX_UNPUBLISHED, OUTBOX_OLDEST, RECONCILED, REBUILDS, CACHE_READS, CACHE_LEASES, CACHE_STALE, CACHE_NEGATIVE_HITS, HOT_KEYS_SERVED,
    COLD_BATCHES, ROWS_MISSING, SIMULATED_COLD_STORE, SIMULATED_WORKERS, DAILY_LIMITS, RING_NODES, BREAKER_OPEN, SHED, CELEBRITY_MERGES, REPLIES_BEFORE_ORIGINAL,
    RETRIES, RETRY_BUDGET, NACKS, REQUESTS_WAITING, ADMISSION_DROPS, EXPIRED,
    REQUEST_FAULTS, INDEXED_TWEETS, KEYVALUE_OPERATIONS, KEYVALUE_ENGINE, COUNTS_BEHIND, COUNTS_REPAIRED, SPANS_PROCESSED, SPANS_EXPORTED,
    EDGE_CASES, HINDSIGHT_NOTES, HINDSIGHT_REACH,
)  # fmt: skip

COMPONENT_UP = Metric("component_up", "gauge", ("component", "kind"), "1 when the component answered a real question within 300 ms.")
COMPONENT_HUNG = Metric(
    "component_hung", "gauge", ("component", "kind"), "1 when it accepts connections but does not answer (a paused process)."
)
PROBE_SECONDS = Metric("component_probe_duration_seconds", "gauge", ("component",), "Time of the last question, in seconds.")
REPLICATION_RUNNING = Metric("replication_running", "gauge", ("component", "shard"), "1 while both replication threads of a replica run.")
REPLICATION_LAG = Metric("replication_lag_seconds", "gauge", ("component", "shard"), "Seconds_Behind_Master; absent when unknown.")
SEMI_SYNC_ON = Metric("semi_sync_on", "gauge", ("component", "shard"), "1 while a primary waits for its replica before it acknowledges.")
CACHE_HITS = Metric("cache_hits_total", "counter", ("component",), "keyspace_hits of a Redis.")
CACHE_MISSES = Metric("cache_misses_total", "counter", ("component",), "keyspace_misses of a Redis.")
CACHE_EVICTIONS = Metric("cache_evictions_total", "counter", ("component",), "evicted_keys of a Redis.")
CACHE_MEMORY = Metric("cache_memory_ratio", "gauge", ("component",), "used_memory of a Redis, of its maxmemory: 0 to 1.")
CONNECTIONS = Metric(
    "store_connections_ratio", "gauge", ("component",), "Connections in use, of those that a MariaDB or Redis takes: 0 to 1."
)
PRIMARY_READ_ONLY = Metric("primary_read_only", "gauge", ("component", "shard"), "1 while the primary of a database takes no writes.")
CLOCK_OFFSET = Metric(
    "component_clock_offset_seconds", "gauge", ("component",),
    "The clock of a database minus the prober's, when both were asked at once; right to half the time that the answer took.",
)  # fmt: skip
CLOCK_STEP = Metric(
    "lab_clock_step_seconds", "gauge", (), "How far the wall clock has moved since the prober started, beyond the time that passed."
)
STREAM_PENDING = Metric("stream_pending_messages", "gauge", ("consumer",), "Messages of the stream that the consumer has not taken yet.")
STREAM_UNACKNOWLEDGED = Metric(
    "stream_unacknowledged_messages", "gauge", ("consumer",), "Messages that the consumer has taken and not acknowledged yet."
)
DISK_FREE = Metric("lab_disk_free_bytes", "gauge", (), "Free bytes on the file system that holds the lab.")
STORE_DISK_FREE = Metric(
    "store_disk_free_bytes", "gauge", ("component",), "Free bytes on the file system that holds the data of a component."
)
STORE_DISK_FREE_SHARE = Metric("store_disk_free_ratio", "gauge", ("component",), "The same, of the size of that file system: 0 to 1.")
PRESSURE = Metric("lab_pressure_ratio", "gauge", ("resource",), "PSI `some avg10` of the host for cpu, memory and io, 0 to 1.")
PROBER_METRICS = (
    COMPONENT_UP, COMPONENT_HUNG, PROBE_SECONDS, REPLICATION_RUNNING, REPLICATION_LAG, SEMI_SYNC_ON, CACHE_HITS, CACHE_MISSES,
    CACHE_EVICTIONS, CACHE_MEMORY, CONNECTIONS, PRIMARY_READ_ONLY, CLOCK_OFFSET, CLOCK_STEP, STREAM_PENDING, STREAM_UNACKNOWLEDGED,
    DISK_FREE, STORE_DISK_FREE, STORE_DISK_FREE_SHARE, PRESSURE,
)  # fmt: skip

COLLECTED_SPANS = Metric(
    "failwhale_collector_spans_total",
    "counter",
    ("result",),
    "Spans by fate: written, rejected (malformed), dropped (queue full), relayed, relay_failed.",
)
COLLECTED_SEGMENTS = Metric("failwhale_collector_segments_total", "counter", (), "Parquet segments written.")
COLLECTOR_METRICS = (HTTP_SERVER, COLLECTED_SPANS, COLLECTED_SEGMENTS)

LOAD_REQUESTS = Metric(
    "load_requests_total", "counter", ("op", "result"), "Requests of the load by what came of them: ok, refused, indeterminate, error."
)
LOAD_SECONDS = Metric(
    "load_response_duration_seconds", "histogram", ("op",), "From the moment a request of the load was due to its answer, or its end."
)
LOAD_LAG = Metric("load_lag_seconds", "histogram", (), "From the moment a request of the load was due to its sending.")
LOAD_REACTIONS = Metric(
    "load_reactions_total", "counter", ("reaction",), "Requests beyond the plan that answers brought about: retry, refresh, back."
)
LOAD_DROPPED = Metric("load_dropped_total", "counter", (), "Requests that were due and not sent, for too many were outstanding.")
LOAD_OUTSTANDING = Metric("load_outstanding_requests", "gauge", (), "Requests of the load that wait for their answer.")
LOAD_METRICS = (LOAD_REQUESTS, LOAD_SECONDS, LOAD_LAG, LOAD_REACTIONS, LOAD_DROPPED, LOAD_OUTSTANDING)

EDGE_REQUESTS = Metric(
    "haproxy_backend_sessions_total", "counter", ("proxy",),
    "Requests that came to the edge, counted when they come. HAProxy gives no answer, and counts none, where a gateway died under a write "
    "on a connection that was used before: it hangs up, which tells the client to send again.",
)  # fmt: skip
EDGE_RESPONSES = Metric(
    "haproxy_backend_http_responses_total", "counter", ("proxy", "code"),
    "Answers of the edge by class (2xx, 5xx, other: the client went away); proxy is home, posts or rest. The edge's own refusals count.",
)  # fmt: skip
EDGE_CACHE_HITS = Metric("haproxy_backend_http_cache_hits_total", "counter", ("proxy",), "Answers that the edge's cache gave.")
EDGE_QUEUE = Metric("haproxy_backend_current_queue", "gauge", ("proxy",), "Requests that wait at the edge for a gateway.")
EDGE_SERVER = Metric(
    "haproxy_server_status", "gauge", ("proxy", "server", "state"), "1 for the state (UP, DOWN, ...) in which the edge sees a gateway."
)
EDGE_REDISPATCHES = Metric(
    "haproxy_server_redispatch_warnings_total",
    "counter",
    ("proxy", "server"),
    "Requests that were to go to this gateway and went to another.",
)
EDGE_CONNECTION_ERRORS = Metric(
    "haproxy_server_connection_errors_total", "counter", ("proxy", "server"), "Requests that ended with no connection to this gateway."
)
EDGE_RESPONSE_ERRORS = Metric(
    "haproxy_server_response_errors_total", "counter", ("proxy", "server"), "Requests that this gateway took and did not answer."
)
EDGE_METRICS = (
    EDGE_REQUESTS, EDGE_RESPONSES, EDGE_CACHE_HITS, EDGE_QUEUE, EDGE_SERVER, EDGE_REDISPATCHES, EDGE_CONNECTION_ERRORS, EDGE_RESPONSE_ERRORS,
)  # fmt: skip
"""What the lab keeps of HAProxy's own exporter."""
EDGE_HOME, EDGE_POSTS, EDGE_REST = "home", "posts", "rest"
"""Values of `proxy`: `GET /home`, `POST /tweets`, everything else."""

RULE_FAILURES = Metric("prometheus_rule_evaluation_failures_total", "counter", ("rule_group",), "Rules that could not be evaluated.")
NOTIFICATIONS_FAILED = Metric(
    "prometheus_notifications_errors_total", "counter", ("alertmanager",), "Notifications that Alertmanager did not take."
)
WATCH_METRICS = (RULE_FAILURES, NOTIFICATIONS_FAILED)
"""What the lab keeps of what Prometheus tells about itself."""
