from __future__ import annotations

from collections import Counter

from loadgen import posts


def plan(texts: tuple[str, ...], *, count: int, even: bool = False, users: int = 50, seed: int = 1) -> list[posts.Post]:
    return list(posts.plan(texts, users=users, count=count, even=even, seed=seed))


def test_the_same_file_makes_the_same_posts_so_that_a_second_run_posts_nothing_twice() -> None:
    assert plan(("a", "b"), count=30) == plan(("a", "b"), count=30)
    assert plan(("a", "b"), count=60)[:30] == plan(("a", "b"), count=30)
    assert plan(("a", "c"), count=1)[0].key != plan(("a", "b"), count=1)[0].key


def test_texts_come_round_again_under_keys_of_their_own() -> None:
    found = plan(("a", "b"), count=5)
    assert [post.text for post in found] == ["a", "b", "a", "b", "a"]
    assert len({post.key for post in found}) == 5


def test_evenly_everybody_writes_as_much_as_everybody() -> None:
    assert set(Counter(post.user for post in plan(("a",), count=150, even=True)).values()) == {3}


def test_else_a_few_write_most() -> None:
    by_user = Counter(post.user for post in plan(("a",), count=2000))
    assert sum(number for _, number in by_user.most_common(5)) > 0.5 * by_user.total()
