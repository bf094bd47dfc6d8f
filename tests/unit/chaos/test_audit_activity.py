from __future__ import annotations

from typing import Any

from chaos.audit import activity
from chaos.audit.model import Edge, Post, PostKey
from loadgen.history import Completion, Invoke, Operation, join

KEY = PostKey(7, "k")


def post(n: int, result: Any, tweet_id: str = "", **of_invoke: Any) -> Operation:
    invoke = Invoke(n=n, op="post", user=7, due=0, at=100.0 + n, key="k", text="hi", **of_invoke)
    return join(invoke, Completion(n, result, 0, 0, 0, 0, 0, tweet_id=tweet_id))


def test_retries_and_replays_of_a_key_are_one_post() -> None:
    operations = [post(1, "refused"), post(2, "indeterminate", attempt=2), post(3, "ok", "55", attempt=3), post(4, "ok", "55", replay=True)]
    assert activity.from_history(operations).posts == {KEY: Post(KEY, acknowledged=True, indeterminate=True, ids=frozenset({55}))}


def test_a_replay_that_was_answered_with_another_id_is_kept() -> None:
    operations = [post(1, "ok", "55"), post(2, "ok", "56", replay=True)]
    assert activity.from_history(operations).posts[KEY].ids == {55, 56}


def test_a_post_that_was_only_refused_promises_nothing() -> None:
    assert activity.from_history([post(1, "refused")]).posts[KEY] == Post(KEY)


def test_a_post_without_an_answer_is_indeterminate() -> None:
    unanswered = join(Invoke(1, "post", 7, 0, 100.0, key="k"), None)
    assert activity.from_history([unanswered]).posts[KEY].indeterminate


def test_the_same_key_of_two_users_is_two_posts() -> None:
    other = join(Invoke(2, "post", 8, 0, 101.0, key="k"), None)
    assert set(activity.from_history([post(1, "ok", "5"), other]).posts) == {KEY, PostKey(8, "k")}


def test_follows_and_unfollows_make_their_edge_unstable_whatever_their_answer() -> None:
    follow = join(Invoke(1, "follow", 1, 0, 100.0, target=2), None)
    unfollow = join(Invoke(2, "unfollow", 3, 0, 101.0, target=4), Completion(2, "ok", 204, 0, 0, 0, 0))
    assert activity.from_history([follow, unfollow]).unstable_edges == {Edge(1, 2), Edge(3, 4)}


def test_the_run_starts_with_its_first_operation() -> None:
    assert activity.from_history([post(9, "ok", "1"), post(3, "ok", "1")]).since == 103.0
