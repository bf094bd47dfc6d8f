"""Shapes at rest outside SQL: Redis keys, the timeline list, stream subjects and events."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DATABASE = "failwhale"
DATABASE_USER = "root"
"""Who starts, connects and repairs databases; a server that is read-only lets it write."""
APPLICATION_USER = "failwhale"
"""Who services are (schema/accounts.sql): one that a read-only server refuses, so that only the primary takes their writes."""
ACCOUNTS = "accounts.sql"
SCHEMAS = {"tweets-db": "tweets.sql", "users-db": "users.sql", "graph-db": "graph.sql", "keyvalue-db": "keyvalue.sql"}
"""Database group -> schema file beside this module, in `schema/`. `identity.sql` goes into every database."""


def graph_shard(user_id: int, shards: int) -> int:
    """Index of the graph shard that holds a user's edges: forward ones by follower, backward ones by followee."""
    return user_id % shards


TIMELINE_EPOCH_KEY = "epoch"
"""Per timeline cache: an integer, absent means 0. A delivery that gives up has it raised; lists of an older epoch count as misses."""
TIMELINE_READY, TIMELINE_BUILDING = "0", "b"
"""Last element of a timeline list: complete, or still being rebuilt (which reads as a miss). Both sort below any id."""
TIMELINE_LENGTH, TIMELINE_TRIM_AT = 800, 850
"""Cut to 800 by id once longer than 850 (haplocheirus, 2011; highscalability.com 2013-07-08)."""


def merged_over(threshold: int) -> int:
    """Authors with more followers than this are merged at read, when fan-out skips those with more than the threshold.

    The tenth between keeps an author who gains and loses followers from falling into a gap: nothing is shown twice, because ids are distinct.
    """
    return threshold * 9 // 10


def timeline_key(user_id: int | str, epoch: int | str) -> str:
    """Redis list of a home timeline: tweet ids as decimal strings, newest pushed at the head, a sentinel at the tail."""
    return f"tl:{epoch}:{user_id}"


DELETED_TWEET, NO_TWEET = b"x", b"?"


def tweet_key(tweet_id: int) -> str:
    """Redis string of one tweet: the moment after which it is refreshed (kit.soft_ttl) and JSON of contract.api.Tweet; or DELETED_TWEET;
    or NO_TWEET, when there is none; or the token of the reader who fills it (kit.lease_gets).
    """
    return f"t:{tweet_id}"


def script(name: str) -> str:
    """Text of a timeline script in `lua/`: deliver, read, begin, merge, invalidate, threshold. They own the shape of the list, so they stand beside it."""
    return (Path(__file__).parent / "lua" / f"{name}.lua").read_text()


STREAM = "TWEETS"
STREAM_SUBJECTS, SUBJECT_POSTED, SUBJECT_DELETED = "tweets.>", "tweets.posted", "tweets.deleted"
DEAD_LETTER_STREAM, DEAD_LETTER_SUBJECT = "DEAD", "dead.tweets"
FANOUT_CONSUMER = "fanout"
MESSAGE_KEEP_S = 3600
"""Seconds for which the stream keeps a message; search and trends start from what is kept."""


@dataclass(frozen=True)
class TweetEvent:
    """Payload (JSON) on the stream. `acknowledged_ms` is when the post, or the deletion, committed, Unix milliseconds.

    `text` is what search and trends read; it is empty for a retweet and for a deletion.
    """

    tweet_id: int
    user_id: int
    acknowledged_ms: int
    text: str = ""
