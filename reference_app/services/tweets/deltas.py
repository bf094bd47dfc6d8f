"""SQL of the changes that counters do not have yet: a row for each like and retweet that came or went, written in its transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from reference_app.contract import keyvalue
from reference_app.kit import tracing
from reference_app.kit.sql import Session

Counted = Literal["likes", "retweets"]
KEYS = {"likes": keyvalue.likes_key, "retweets": keyvalue.retweets_key}


@dataclass(frozen=True)
class Delta:
    """A change by `by` of what is counted of a tweet. `created_ms` in Unix milliseconds."""

    id: int
    tweet_id: int
    counted: Counted
    by: int
    traceparent: str
    created_ms: int

    @property
    def key(self) -> str:
        """Of its counter in the key-value tier."""
        return KEYS[self.counted](self.tweet_id)

    def operation(self, shard: str) -> str:
        """Names the change for ever. Its time is part of it, because the numbers of a table that was emptied or restored begin anew."""
        return f"{shard}-{self.id}-{self.created_ms}"


@dataclass(frozen=True)
class Rows:
    """Counter key -> rows of one shard that it counts, none where there is no key; and the tweets of which changes wait there."""

    counts: Mapping[str, int]
    waiting: frozenset[int]


async def note(session: Session, tweet_id: int, counted: Counted, by: int, *, now_ms: int) -> None:
    """In the transaction of the row that came or went."""
    await session.execute(
        "INSERT INTO engagement_deltas (tweet_id, counted, delta, traceparent, created_ms) VALUES (%s, %s, %s, %s, %s)",
        (tweet_id, counted, by, tracing.traceparent(), now_ms),
    )


async def oldest(session: Session, limit: int) -> list[Delta]:
    """Those that wait longest."""
    rows = await session.fetch(
        "SELECT id, tweet_id, counted, delta, traceparent, created_ms FROM engagement_deltas ORDER BY id LIMIT %s", (limit,)
    )
    return [Delta(*row) for row in rows]


async def forget(session: Session, delta_ids: Sequence[int]) -> None:
    """The counters have them."""
    await session.execute(f"DELETE FROM engagement_deltas WHERE id IN {_marks(delta_ids)}", delta_ids)  # noqa: S608


async def count(session: Session) -> int:
    """How many wait."""
    return int((await session.fetch("SELECT COUNT(*) FROM engagement_deltas"))[0][0])


async def newest_tweets(session: Session, *, before: int, limit: int) -> list[int]:
    """Ids of visible tweets below `before`, newest first."""
    rows = await session.fetch("SELECT id FROM tweets WHERE id < %s AND deleted_at IS NULL ORDER BY id DESC LIMIT %s", (before, limit))
    return [row[0] for row in rows]


async def rows(session: Session, tweet_ids: Sequence[int]) -> Rows:
    """What there is to count of these tweets on this shard. One statement, so one moment."""
    marks = _marks(tweet_ids)
    found = await session.fetch(
        f"SELECT tweet_id, 'likes', COUNT(*) FROM likes WHERE tweet_id IN {marks} GROUP BY tweet_id"  # noqa: S608
        f" UNION ALL SELECT retweet_of, 'retweets', COUNT(*) FROM tweets WHERE retweet_of IN {marks} AND deleted_at IS NULL GROUP BY retweet_of"
        f" UNION ALL SELECT DISTINCT tweet_id, '', 0 FROM engagement_deltas WHERE tweet_id IN {marks}",
        [*tweet_ids, *tweet_ids, *tweet_ids],
    )
    counts = {KEYS[counted](tweet_id): int(number) for tweet_id, counted, number in found if counted}
    return Rows(counts, frozenset(tweet_id for tweet_id, counted, _ in found if not counted))


def _marks(values: Sequence[object]) -> str:
    return f"({', '.join(['%s'] * len(values))})"
