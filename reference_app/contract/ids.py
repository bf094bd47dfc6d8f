"""Tweet ids: Twitter's Snowflake layout (twitter-archive/snowflake, tag snowflake-2010).

41 bits of milliseconds since the epoch, 10 bits of worker, 12 bits of sequence. The worker's upper 6 bits are the tweet
shard, its lower 4 the process, so an id tells where its row is. Ids of today have 19 digits and will until 2262: as
strings of equal length they sort as numbers, which the Lua scripts rely on.
"""

from __future__ import annotations

EPOCH_MS = 1_288_834_974_657
WORKER_BITS, SEQUENCE_BITS = 10, 12
PROCESS_BITS = 4
MAX_SHARDS, MAX_PROCESSES, MAX_SEQUENCE = 1 << (WORKER_BITS - PROCESS_BITS), 1 << PROCESS_BITS, 1 << SEQUENCE_BITS


def compose(*, unix_ms: int, shard: int, process: int, sequence: int) -> int:
    """The id of that moment, shard, process and sequence."""
    worker = shard << PROCESS_BITS | process
    return (unix_ms - EPOCH_MS) << (WORKER_BITS + SEQUENCE_BITS) | worker << SEQUENCE_BITS | sequence


def shard_of(tweet_id: int) -> int:
    """Index of the tweet shard that holds the row."""
    return tweet_id >> (SEQUENCE_BITS + PROCESS_BITS) & (MAX_SHARDS - 1)


def unix_ms_of(tweet_id: int) -> int:
    """Creation time in Unix milliseconds."""
    return (tweet_id >> (WORKER_BITS + SEQUENCE_BITS)) + EPOCH_MS


def first_id_at(unix_ms: int) -> int:
    """Smallest id of that millisecond: a bound for range scans by time."""
    return (unix_ms - EPOCH_MS) << (WORKER_BITS + SEQUENCE_BITS)
