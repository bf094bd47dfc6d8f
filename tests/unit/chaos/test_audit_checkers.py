"""Each violation is planted in a clean world and found; what only looks like one is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.audit import checkers
from chaos.audit.model import EXAMPLES_MAX, Activity, Audit, Edge, Observed, ObservedShard, ObservedTimeline, Post, PostKey, Row
from reference_app.contract import ids

AUTHOR, FOLLOWER, OTHER = 1, 2, 3


def tweet_id(n: int, shard: int = 0) -> int:
    return ids.compose(unix_ms=1_700_000_000_000 + n, shard=shard, process=0, sequence=0)


def key(n: int) -> PostKey:
    return PostKey(AUTHOR, f"k{n}")


def acknowledged(n: int, *tweet_ids: int) -> Post:
    return Post(key(n), acknowledged=True, ids=frozenset(tweet_ids or (tweet_id(n),)))


def row(n: int, at: int | None = None, *, deleted: bool = False, duplicate_of: int | None = None) -> Row:
    at = tweet_id(n) if at is None else at
    return Row(at, AUTHOR, f"k{n}", deleted, duplicate_of, ids.shard_of(at))


def history(*posts: Post, unstable: frozenset[Edge] = frozenset()) -> Activity:
    return Activity(1_700_000_000.0, {post.key: post for post in posts}, unstable)


def timeline(*tweet_ids: int, user: int = FOLLOWER) -> ObservedTimeline:
    return ObservedTimeline(user, 0, "ready", frozenset(tweet_ids), len(tweet_ids), min(tweet_ids, default=0))


def state(*rows: Row, lists: tuple[ObservedTimeline, ...] = ()) -> Observed:
    shards = tuple(ObservedShard(n, "primary", tuple(r for r in rows if r.shard == n), complete=True, outbox_unpublished=0) for n in (0, 1))
    return Observed(shards, {AUTHOR: frozenset({FOLLOWER})}, {t.user_id: t for t in lists}, stream_pending=0)


def counts(audit: Audit) -> tuple[int | None, ...]:
    return audit.lost, audit.duplicated, audit.duplicated_transient, audit.missing_from_timelines, audit.non_unique_ids


def test_a_run_in_which_everything_arrived_is_clean() -> None:
    posts, rows = [acknowledged(n) for n in range(3)], [row(n) for n in range(3)]
    audit = checkers.check(history(*posts), state(*rows, lists=(timeline(*map(tweet_id, range(3))),)))
    assert audit.clean
    assert counts(audit) == (0, 0, 0, 0, 0)
    assert (audit.attempted, audit.acknowledged, audit.indeterminate, audit.timelines_checked) == (3, 3, 0, 3)
    assert (audit.stale, audit.resurrected) == (None, None)
    assert audit.sources == {"tweets-db-0": "primary", "tweets-db-1": "primary"}


def test_an_acknowledged_post_without_a_row_is_lost() -> None:
    audit = checkers.check(history(acknowledged(1), acknowledged(2)), state(row(2)))
    assert counts(audit) == (1, 0, 0, 0, 0)
    assert not audit.clean
    assert audit.examples[0].key == "k1"
    assert audit.examples[0].tweet_ids == (tweet_id(1),)


def test_an_acknowledged_post_whose_only_row_is_tombstoned_is_lost() -> None:
    assert checkers.check(history(acknowledged(1)), state(row(1, deleted=True))).lost == 1


def test_a_tombstone_that_points_at_nothing_is_lost() -> None:
    away = row(1, deleted=True, duplicate_of=tweet_id(9))
    assert checkers.check(history(acknowledged(1)), state(away)).lost == 1


def test_the_same_key_of_another_author_does_not_make_up_for_a_lost_row() -> None:
    stranger = replace(row(1), user_id=OTHER)
    assert checkers.check(history(acknowledged(1)), state(stranger)).lost == 1


def test_a_refused_or_indeterminate_post_may_be_absent() -> None:
    audit = checkers.check(history(Post(key(1)), Post(key(2), indeterminate=True)), state())
    assert counts(audit) == (0, 0, 0, 0, 0)
    assert (audit.attempted, audit.acknowledged, audit.indeterminate) == (2, 0, 1)


def test_an_indeterminate_post_may_appear() -> None:
    audit = checkers.check(history(Post(key(1), indeterminate=True)), state(row(1), lists=(timeline(tweet_id(1)),)))
    assert audit.clean
    assert audit.timelines_checked == 1


def test_a_post_that_was_acknowledged_on_a_retry_is_not_indeterminate() -> None:
    post = replace(acknowledged(1), indeterminate=True)
    assert checkers.check(history(post), state(row(1))).indeterminate == 0


def test_two_visible_rows_of_a_key_are_a_duplicate() -> None:
    audit = checkers.check(history(acknowledged(1)), state(row(1), row(1, tweet_id(5, shard=1))))
    assert counts(audit)[:3] == (0, 1, 0)
    assert not audit.clean


def test_two_visible_rows_of_an_indeterminate_key_are_a_duplicate_too() -> None:
    post = Post(key(1), indeterminate=True)
    assert checkers.check(history(post), state(row(1), row(1, tweet_id(5, shard=1)))).duplicated == 1


def test_a_tombstoned_twin_is_only_transient() -> None:
    twin = row(1, tweet_id(5, shard=1), deleted=True, duplicate_of=tweet_id(1))
    audit = checkers.check(history(acknowledged(1, tweet_id(5, shard=1))), state(row(1), twin))
    assert counts(audit) == (0, 0, 1, 0, 0)
    assert audit.clean


def test_a_key_acknowledged_with_two_ids_is_transient_when_one_row_is_left() -> None:
    tombstone = row(1, tweet_id(5), deleted=True, duplicate_of=tweet_id(1))
    audit = checkers.check(history(acknowledged(1, tweet_id(1), tweet_id(5))), state(row(1), tombstone))
    assert counts(audit)[:3] == (0, 0, 1)


def test_a_retry_that_was_stored_elsewhere_does_not_make_up_for_an_acknowledged_tweet_that_is_gone() -> None:
    post, elsewhere = acknowledged(1, tweet_id(1), tweet_id(5, shard=1)), row(1, tweet_id(5, shard=1))
    assert checkers.check(history(post), state(elsewhere)).lost == 1
    unread = replace(state(elsewhere), shards=(replace(state().shards[0], complete=False), state(elsewhere).shards[1]))
    assert checkers.check(history(post), unread).lost == 0


def test_rows_of_other_writers_are_none_of_the_audits_business() -> None:
    strangers = [row(7), row(7, tweet_id(8, shard=1))]
    assert checkers.check(history(acknowledged(1)), state(row(1), *strangers)).clean


def test_an_id_acknowledged_for_two_keys_is_not_unique() -> None:
    audit = checkers.check(history(acknowledged(1), acknowledged(2, tweet_id(1))), state(row(1), row(2)))
    assert audit.non_unique_ids == 1


def test_an_id_on_two_shards_is_not_unique() -> None:
    copy = replace(row(2, tweet_id(1)), shard=1)
    assert checkers.check(history(acknowledged(1)), state(row(1), copy)).non_unique_ids == 1


def test_a_dropped_delivery_is_missing() -> None:
    audit = checkers.check(history(acknowledged(1), acknowledged(2)), state(row(1), row(2), lists=(timeline(tweet_id(2)),)))
    assert (audit.missing_from_timelines, audit.timelines_checked) == (1, 2)
    assert "follower 2" in audit.examples[0].detail


def test_a_follower_who_changed_the_edge_during_the_run_does_not_count() -> None:
    unstable = frozenset({Edge(FOLLOWER, AUTHOR)})
    audit = checkers.check(history(acknowledged(1), unstable=unstable), state(row(1), lists=(timeline(),)))
    assert (audit.missing_from_timelines, audit.timelines_checked) == (0, 0)


@pytest.mark.parametrize("kind", ["building", "absent"])
def test_a_list_that_is_not_ready_does_not_count(kind: str) -> None:
    unready = replace(timeline(), state=kind)
    assert checkers.check(history(acknowledged(1)), state(row(1), lists=(unready,))).timelines_checked == 0


def test_a_user_without_an_observed_list_does_not_count() -> None:
    assert checkers.check(history(acknowledged(1)), state(row(1))).timelines_checked == 0


def test_the_authors_own_list_does_not_count() -> None:
    own = timeline(user=AUTHOR)
    assert checkers.check(history(acknowledged(1)), state(row(1), lists=(own,))).timelines_checked == 0


def test_an_author_who_follows_himself_counts() -> None:
    observed = replace(state(row(1), lists=(timeline(user=AUTHOR),)), followers={AUTHOR: frozenset({AUTHOR})})
    assert checkers.check(history(acknowledged(1)), observed).missing_from_timelines == 1


def test_a_tombstoned_tweet_need_not_be_on_a_list() -> None:
    twin = row(1, tweet_id(5, shard=1), deleted=True, duplicate_of=tweet_id(1))
    audit = checkers.check(history(acknowledged(1)), state(row(1), twin, lists=(timeline(tweet_id(1)),)))
    assert (audit.missing_from_timelines, audit.timelines_checked) == (0, 1)


def test_a_tweet_older_than_a_full_list_was_cut_and_does_not_count() -> None:
    full = replace(timeline(), length=800, oldest_id=tweet_id(2))
    audit = checkers.check(history(acknowledged(1)), state(row(1), lists=(full,)))
    assert (audit.missing_from_timelines, audit.timelines_checked) == (0, 0)


def test_a_tweet_newer_than_a_full_lists_oldest_counts() -> None:
    full = replace(timeline(), length=800, oldest_id=tweet_id(0))
    assert checkers.check(history(acknowledged(1)), state(row(1), lists=(full,))).missing_from_timelines == 1


def test_a_tweet_older_than_a_short_lists_oldest_counts() -> None:
    short = replace(timeline(), length=799, oldest_id=tweet_id(2))
    assert checkers.check(history(acknowledged(1)), state(row(1), lists=(short,))).missing_from_timelines == 1


def test_an_unread_shard_makes_the_audit_incomplete_and_loses_nothing() -> None:
    observed = state(row(1))
    unread = ObservedShard(1, "primary", (), complete=False, detail="tweets-db-1-primary was not provisioned")
    observed = replace(observed, shards=(observed.shards[0], unread))
    audit = checkers.check(history(acknowledged(1), acknowledged(2, tweet_id(2, shard=1)), acknowledged(3)), observed)
    assert audit.lost == 1, "key 3 lay on the shard that was read"
    assert not audit.complete
    assert audit.reasons == ("tweets-db-1 was not read: tweets-db-1-primary was not provisioned",)


def test_a_twin_on_an_unread_shard_may_be_the_visible_one() -> None:
    twin = tweet_id(1, shard=1)
    observed = state(row(1, tweet_id(5), deleted=True, duplicate_of=twin))
    observed = replace(observed, shards=(observed.shards[0], ObservedShard(1, "primary", (), complete=False)))
    assert checkers.check(history(acknowledged(1, tweet_id(5))), observed).lost == 0


def test_rows_of_a_shard_that_cannot_be_trusted_are_not_used() -> None:
    observed = state(row(1))
    observed = replace(observed, shards=tuple(replace(shard, complete=False) for shard in observed.shards))
    audit = checkers.check(history(acknowledged(1)), observed)
    assert counts(audit) == (None, None, None, None, None)
    assert not audit.complete


def test_a_shard_read_from_its_replica_is_named_and_complete() -> None:
    observed = state(row(1))
    from_replica = replace(observed.shards[0], source="replica", detail="tweets-db-0-primary does not answer")
    audit = checkers.check(history(acknowledged(1)), replace(observed, shards=(from_replica, observed.shards[1])))
    assert audit.complete
    assert audit.sources["tweets-db-0"] == "replica"


@pytest.mark.parametrize(("backlog", "unpublished"), [(3, 0), (None, 0), (0, 2)])
def test_what_is_still_under_way_is_not_called_missing(backlog: int | None, unpublished: int) -> None:
    observed = state(row(1), lists=(timeline(),))
    shards = (replace(observed.shards[0], outbox_unpublished=unpublished), observed.shards[1])
    reasons = ("no stream",) if backlog is None else ()
    audit = checkers.check(history(acknowledged(1)), replace(observed, shards=shards, stream_pending=backlog, reasons=reasons))
    assert (audit.missing_from_timelines, audit.timelines_checked) == (None, None)
    assert not audit.complete


def test_without_follow_edges_deliveries_are_unknown_and_rows_are_checked() -> None:
    observed = replace(state(row(1)), followers=None, timelines=None, reasons=("graph-db-0 is down",))
    audit = checkers.check(history(acknowledged(1)), observed)
    assert (audit.lost, audit.missing_from_timelines, audit.complete) == (0, None, False)


def test_a_history_without_posts_proves_nothing() -> None:
    audit = checkers.check(history(), state())
    assert not audit.complete
    assert "no posts" in audit.reasons[0]


def test_all_violations_are_counted_and_only_some_are_shown() -> None:
    audit = checkers.check(history(*(acknowledged(n) for n in range(50))), state())
    assert audit.lost == 50
    assert len(audit.examples) == EXAMPLES_MAX
    assert audit.violations == {"lost": 50}


def test_a_post_acknowledged_without_an_id_is_lost_only_when_every_shard_was_read() -> None:
    post = Post(key(1), acknowledged=True)
    assert checkers.check(history(post), state()).lost == 1
    unread = replace(state(), shards=(state().shards[0], ObservedShard(1, "primary", (), complete=False)))
    assert checkers.check(history(post), unread).lost == 0
