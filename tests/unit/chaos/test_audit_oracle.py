"""Random worlds, judged by the checkers and by a slow oracle that follows the definitions word by word."""

from __future__ import annotations

import random
from itertools import combinations, product

import pytest

from chaos.audit import checkers
from chaos.audit.model import Activity, Edge, Observed, ObservedShard, ObservedTimeline, Post, PostKey, Row
from reference_app.contract import ids

USERS = range(1, 6)
SHARDS = (0, 1, 2)


def random_id(rng: random.Random) -> int:
    return ids.compose(unix_ms=1_700_000_000_000 + rng.randrange(6), shard=rng.choice(SHARDS), process=0, sequence=0)


def random_posts(rng: random.Random) -> dict[PostKey, Post]:
    keys = {PostKey(rng.choice(USERS), f"k{rng.randrange(4)}") for _ in range(rng.randrange(1, 9))}
    posts = {}
    for key in sorted(keys):
        acked = rng.random() < 0.7
        tweet_ids = frozenset(random_id(rng) for _ in range(rng.choice((1, 1, 1, 2)))) if acked else frozenset()
        posts[key] = Post(key, acked, rng.random() < 0.3, tweet_ids)
    return posts


def random_rows(rng: random.Random, posts: dict[PostKey, Post]) -> list[Row]:
    rows = []
    for key, post in posts.items():
        rows += [random_row(rng, key, at) for at in sorted(post.ids) or [random_id(rng)] if rng.random() < 0.8]
        if rng.random() < 0.3:
            rows.append(random_row(rng, key, random_id(rng)))
    rows += [random_row(rng, PostKey(9, "stranger"), random_id(rng)) for _ in range(rng.randrange(2))]
    return rows


def random_row(rng: random.Random, key: PostKey, tweet_id: int) -> Row:
    deleted = rng.random() < 0.25
    twin = random_id(rng) if deleted and rng.random() < 0.6 else None
    misplaced = rng.random() < 0.1
    return Row(tweet_id, key.user_id, key.key, deleted, twin, rng.choice(SHARDS) if misplaced else ids.shard_of(tweet_id))


def random_timeline(rng: random.Random, user: int, rows: list[Row]) -> ObservedTimeline:
    held = frozenset(row.tweet_id for row in rows if rng.random() < 0.8)
    state = rng.choice(("ready", "ready", "ready", "building", "absent"))
    return ObservedTimeline(user, 0, state, held, rng.choice((len(held), 799, 800, 820)), random_id(rng))


def random_world(seed: int) -> tuple[Activity, Observed]:
    rng = random.Random(seed)
    posts = random_posts(rng)
    rows = random_rows(rng, posts)
    pairs = [Edge(a, b) for a, b in product(USERS, USERS)]
    shards = tuple(ObservedShard(n, "primary", tuple(row for row in rows if row.shard == n), rng.random() < 0.85, "", 0) for n in SHARDS)
    followers = {author: frozenset(user for user in USERS if rng.random() < 0.5) for author in USERS if rng.random() < 0.9}
    timelines = {user: random_timeline(rng, user, rows) for user in USERS if rng.random() < 0.8}
    activity = Activity(0.0, posts, frozenset(edge for edge in pairs if rng.random() < 0.1))
    return activity, Observed(shards, followers, timelines, stream_pending=0)


def oracle_lost(activity: Activity, rows: list[Row], unread: set[int]) -> int:
    count = 0
    for key, post in activity.posts.items():
        if not post.acknowledged:
            continue
        if any(ids.shard_of(tweet_id) not in unread and all(row.tweet_id != tweet_id for row in rows) for tweet_id in post.ids):
            count += 1
            continue
        if any(row.post_key == key and not row.deleted for row in rows):
            continue
        named = list(post.ids) + [row.duplicate_of for row in rows if row.post_key == key and row.duplicate_of]
        count += all(ids.shard_of(tweet_id) not in unread for tweet_id in named)
    return count


def oracle_twins(activity: Activity, rows: list[Row]) -> tuple[int, int]:
    doubled = {a.post_key for a, b in combinations(rows, 2) if a.post_key == b.post_key and not a.deleted and not b.deleted}
    doubled &= set(activity.posts)
    once = {key for key, post in activity.posts.items() if len(post.ids) > 1}
    once |= {row.post_key for row in rows if row.deleted and row.duplicate_of and row.post_key in activity.posts}
    return len(doubled), len(once - doubled)


def oracle_reused(activity: Activity, rows: list[Row]) -> int:
    claims = {(tweet_id, key, None) for key, post in activity.posts.items() for tweet_id in post.ids}
    claims |= {(row.tweet_id, row.post_key, row.shard) for row in rows}
    return len(
        {
            a[0]
            for a, b in product(claims, claims)
            if a[0] == b[0] and (a[1] != b[1] or (a[2] is not None and b[2] is not None and a[2] != b[2]))
        }
    )


def oracle_missing(activity: Activity, observed: Observed, rows: list[Row]) -> tuple[int, int]:
    missing = checked = 0
    for row, user in product(rows, USERS):
        timeline = (observed.timelines or {}).get(user)
        if (
            row.deleted
            or row.post_key not in activity.posts
            or user not in (observed.followers or {}).get(row.user_id, ())
            or (user, row.user_id) in activity.unstable_edges
            or timeline is None
            or timeline.state != "ready"
            or (timeline.length >= 800 and row.tweet_id < timeline.oldest_id)
        ):
            continue
        checked += 1
        missing += row.tweet_id not in timeline.ids
    return missing, checked


@pytest.mark.parametrize("start", range(0, 2000, 200))
def test_checkers_agree_with_the_oracle_on_random_worlds(start: int) -> None:
    for seed in range(start, start + 200):
        activity, observed = random_world(seed)
        rows = [row for shard in observed.shards if shard.complete for row in shard.rows]
        unread = {shard.shard for shard in observed.shards if not shard.complete}
        audit = checkers.check(activity, observed)
        if len(unread) == len(SHARDS):
            assert (audit.lost, audit.duplicated, audit.non_unique_ids) == (None, None, None), seed
            continue
        assert audit.lost == oracle_lost(activity, rows, unread), seed
        assert (audit.duplicated, audit.duplicated_transient) == oracle_twins(activity, rows), seed
        assert audit.non_unique_ids == oracle_reused(activity, rows), seed
        assert (audit.missing_from_timelines, audit.timelines_checked) == oracle_missing(activity, observed, rows), seed
        assert audit.complete == (not unread), seed


def test_the_random_worlds_contain_every_kind_of_violation() -> None:
    audits = [checkers.check(*random_world(seed)) for seed in range(300)]
    for finding in ("lost", "duplicated", "duplicated_transient", "missing_from_timelines", "non_unique_ids"):
        assert sum(bool(getattr(audit, finding)) for audit in audits) > 20, finding
