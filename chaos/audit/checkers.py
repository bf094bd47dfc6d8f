"""Pure checkers over what clients did and what the stores hold, after Jepsen's set-full, total-queue and unique-ids.

An acknowledged post must be there once (set-full); a committed tweet must reach every list that it belongs on (total-queue); an
id names one tweet (unique-ids). A post of unknown outcome may be there or not, but not twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from chaos.audit import model
from chaos.audit.model import Activity, Audit, Edge, Example, Found, Observed, ObservedTimeline, Post, PostKey, Row
from reference_app.contract import ids, storage

Posts = Mapping[PostKey, Post]


def check(activity: Activity, observed: Observed) -> Audit:
    """The audit of a run: every checker whose input could be read."""
    posts = activity.posts.values()
    rows = [row for shard in observed.shards if shard.complete for row in shard.rows]
    unread = {shard.shard for shard in observed.shards if not shard.complete}
    readable = len(unread) < len(observed.shards)
    gone = lost(activity.posts, rows, unread) if readable else None
    doubled = duplicated(activity.posts, rows) if readable else None
    transient = duplicated_transient(activity.posts, rows) if readable else None
    reused = non_unique_ids(activity.posts, rows) if readable else None
    missing, checked = _deliveries(activity, observed, rows)
    reasons = tuple(_reasons(activity, observed))
    return Audit(
        complete=not reasons,
        attempted=len(posts),
        acknowledged=sum(post.acknowledged for post in posts),
        indeterminate=sum(post.indeterminate and not post.acknowledged for post in posts),
        lost=_count(gone),
        duplicated=_count(doubled),
        duplicated_transient=_count(transient),
        missing_from_timelines=_count(missing),
        timelines_checked=checked,
        non_unique_ids=_count(reused),
        reasons=reasons,
        sources={f"tweets-db-{shard.shard}": shard.source for shard in observed.shards},
        examples=tuple(example for found in (gone, doubled, transient, missing, reused) if found for example in found.examples),
    )


def lost(posts: Posts, rows: Sequence[Row], unread: set[int]) -> Found:
    """Acknowledged keys without a visible row, or with an acknowledged id of which not even a tombstone is left: the service deletes no row, so
    another row of the key, from a retry, does not make up for it. A key whose row may lie on an unread shard is not blamed.
    """
    by_key, known = _by_key(posts, rows), {row.tweet_id for row in rows}
    return found_of(
        Example("lost", *key, tuple(sorted(post.ids)), _fate(by_key[key]))
        for key, post in posts.items()
        if post.acknowledged
        and (_vanished(post, known, unread) or (not _visible(by_key[key]) and not _may_hide(post, by_key[key], unread)))
    )


def duplicated(posts: Posts, rows: Iterable[Row]) -> Found:
    """Keys with two visible rows or more, acknowledged or not."""
    visible = ((key, _visible(found)) for key, found in _by_key(posts, rows).items())
    return found_of(
        Example("duplicated", *key, tuple(sorted(row.tweet_id for row in twins)), f"visible on {_places(twins)}")
        for key, twins in visible
        if len(twins) > 1
    )


def duplicated_transient(posts: Posts, rows: Iterable[Row]) -> Found:
    """Keys that had twins for a while: one was tombstoned, or two ids were acknowledged, and at most one is visible now."""
    by_key = _by_key(posts, rows)
    return found_of(
        Example("duplicated_transient", *key, tuple(sorted({*post.ids, *(row.tweet_id for row in by_key[key])})), _fate(by_key[key]))
        for key, post in posts.items()
        if len(_visible(by_key[key])) < 2
        and (len(post.ids) > 1 or any(row.deleted and row.duplicate_of is not None for row in by_key[key]))
    )


def non_unique_ids(posts: Posts, rows: Iterable[Row]) -> Found:
    """Ids that name two posts, by acknowledgement or by row, or that lie on two shards."""
    named: dict[int, set[PostKey]] = defaultdict(set)
    shards: dict[int, set[int]] = defaultdict(set)
    for post in posts.values():
        for tweet_id in post.ids:
            named[tweet_id].add(post.key)
    for row in rows:
        named[row.tweet_id].add(row.post_key)
        shards[row.tweet_id].add(row.shard)
    return found_of(
        Example("non_unique_ids", *min(keys), (tweet_id,), f"keys {sorted(keys)}, tweet shards {sorted(shards[tweet_id])}")
        for tweet_id, keys in named.items()
        if len(keys) > 1 or len(shards[tweet_id]) > 1
    )


def missing_from_timelines(
    activity: Activity,
    rows: Sequence[Row],
    followers: Mapping[int, frozenset[int]],
    timelines: Mapping[int, ObservedTimeline],
) -> tuple[Found, int]:
    """Visible tweets of the run that a list should hold and does not; second, how many (tweet, list) pairs were looked at."""
    missing = found_of(
        Example("missing_from_timelines", *row.post_key, (row.tweet_id,), f"not on the timeline of follower {timeline.user_id}")
        for row, timeline in _due(activity, rows, followers, timelines)
        if row.tweet_id not in timeline.ids
    )
    return missing, sum(1 for _ in _due(activity, rows, followers, timelines))


def _due(
    activity: Activity, rows: Iterable[Row], followers: Mapping[int, frozenset[int]], timelines: Mapping[int, ObservedTimeline]
) -> Iterator[tuple[Row, ObservedTimeline]]:
    """(tweet, list that must hold it), one at a time: a celebrity makes millions of them."""
    for row in rows:
        if row.deleted or row.post_key not in activity.posts:
            continue
        for follower in sorted(followers.get(row.user_id, ())):
            timeline = timelines.get(follower)
            stable = Edge(follower, row.user_id) not in activity.unstable_edges
            if stable and timeline is not None and _must_hold(timeline, row.tweet_id):
                yield row, timeline


def _deliveries(activity: Activity, observed: Observed, rows: list[Row]) -> tuple[Found | None, int | None]:
    if observed.followers is None or observed.timelines is None or not _drained(observed):
        return None, None
    return missing_from_timelines(activity, rows, observed.followers, observed.timelines)


def _drained(observed: Observed) -> bool:
    """Every committed tweet that was read has been through fan-out, so what a list does not hold, it will not hold."""
    read = [shard for shard in observed.shards if shard.complete]
    return bool(read) and observed.stream_pending == 0 and not any(shard.outbox_unpublished for shard in read)


def _reasons(activity: Activity, observed: Observed) -> Iterator[str]:
    if not activity.posts:
        yield "the history has no posts: nothing was audited"
    yield from observed.reasons
    for shard in observed.shards:
        if not shard.complete:
            yield f"tweets-db-{shard.shard} was not read: {shard.detail}"
        elif shard.outbox_unpublished:
            yield f"tweets-db-{shard.shard} has {shard.outbox_unpublished} tweets that are not published yet: wait for the relay to drain"
    if observed.stream_pending:
        yield f"fan-out has {observed.stream_pending} events left to deliver: wait for it to drain"


def _must_hold(timeline: ObservedTimeline, tweet_id: int) -> bool:
    """A ready list holds the newest 800 by id; what is older than these may have been cut."""
    full = timeline.length >= storage.TIMELINE_LENGTH
    return timeline.state == "ready" and not (full and tweet_id < timeline.oldest_id)


def _by_key(posts: Posts, rows: Iterable[Row]) -> dict[PostKey, list[Row]]:
    """Rows of the run by key; rows that others wrote meanwhile are none of this audit's business."""
    by_key: dict[PostKey, list[Row]] = {key: [] for key in posts}
    for row in rows:
        if row.post_key in by_key:
            by_key[row.post_key].append(row)
    return by_key


def _visible(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not row.deleted]


def _vanished(post: Post, known: Collection[int], unread: set[int]) -> bool:
    return any(tweet_id not in known and ids.shard_of(tweet_id) not in unread for tweet_id in post.ids)


def _may_hide(post: Post, rows: Iterable[Row], unread: set[int]) -> bool:
    """A visible row may be on an unread shard: at an acknowledged id, or where a tombstone points."""
    named = post.ids | {row.duplicate_of for row in rows if row.duplicate_of is not None}
    return bool({ids.shard_of(tweet_id) for tweet_id in named} & unread) if named else bool(unread)


def _fate(rows: list[Row]) -> str:
    if not rows:
        return "no row has this key"
    return "; ".join(f"{row.tweet_id} on tweet shard {row.shard} is {_state(row)}" for row in rows)


def _state(row: Row) -> str:
    if not row.deleted:
        return "visible"
    return "deleted" if row.duplicate_of is None else f"tombstoned as the twin of {row.duplicate_of}"


def _places(rows: Iterable[Row]) -> str:
    return ", ".join(f"tweet shard {row.shard} as {row.tweet_id}" for row in rows)


def found_of(examples: Iterable[Example]) -> Found:
    """How many examples there are, and the first of them."""
    kept: list[Example] = []
    count = 0
    for example in examples:
        count += 1
        if len(kept) < model.EXAMPLES_MAX:
            kept.append(example)
    return Found(count, tuple(kept))


def _count(found: Found | None) -> int | None:
    return None if found is None else found.count
