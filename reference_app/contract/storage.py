"""Shapes at rest outside SQL: Redis keys, the timeline list, stream subjects and events."""

from __future__ import annotations

from dataclasses import dataclass

DATABASE = "failwhale"
DATABASE_USER = "root"
SCHEMAS = {"tweets-db": "tweets.sql", "users-db": "users.sql", "graph-db": "graph.sql"}
"""Database group -> schema file beside this module, in `schema/`. `identity.sql` goes into every database."""

TIMELINE_EPOCH_KEY = "epoch"
"""Per timeline cache: an integer, absent means 0. A delivery that gives up bumps it; lists of an older epoch count as misses."""
TIMELINE_READY, TIMELINE_BUILDING = "0", "b"
"""Last element of a timeline list: complete, or still being rebuilt (which reads as a miss). Both sort below any id."""
TIMELINE_LENGTH, TIMELINE_TRIM_AT = 800, 850
"""Cut to 800 by id once longer than 850 (haplocheirus, 2011; highscalability.com 2013-07-08)."""


def timeline_key(user_id: int | str, epoch: int | str) -> str:
    """Redis list of a home timeline: tweet ids as decimal strings, newest pushed at the head, a sentinel at the tail."""
    return f"tl:{epoch}:{user_id}"


def tweet_key(tweet_id: int) -> str:
    """Redis string of one tweet: JSON of the row, or `x` for a deleted one."""
    return f"t:{tweet_id}"


STREAM = "TWEETS"
SUBJECT_POSTED, SUBJECT_DELETED = "tweets.posted", "tweets.deleted"
DEAD_LETTER_STREAM, DEAD_LETTER_SUBJECT = "DEAD", "dead.tweets"
FANOUT_CONSUMER = "fanout"


@dataclass(frozen=True)
class TweetEvent:
    """Payload (JSON) of both subjects. `acknowledged_ms` is when the post committed, Unix milliseconds."""

    tweet_id: int
    user_id: int
    acknowledged_ms: int
