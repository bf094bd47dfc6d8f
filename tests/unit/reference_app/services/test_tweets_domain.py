from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from reference_app.contract import ids
from reference_app.kit import errors
from reference_app.services.tweets import domain, snowflake
from reference_app.services.tweets.domain import KeyedId

NOW_MS = 1_795_000_000_000


class Clock:
    now = NOW_MS

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def issuer(tmp_path: Path, clock: Clock) -> snowflake.Snowflake:
    return snowflake.Snowflake(process=1, mark_file=tmp_path / "mark", now_ms=clock)


def test_keys_spread_evenly_over_their_home_shards_and_keep_them_when_a_shard_is_added() -> None:
    homes = [domain.shard_order(7, f"k{n}", 2)[0] for n in range(2000)]
    assert 900 < Counter(homes)[0] < 1100
    moved = sum(domain.shard_order(7, f"k{n}", 3)[0] != home for n, home in enumerate(homes))
    assert 550 < moved < 780, "a third moves, to the new shard"


def twins(here: list[KeyedId], there: list[KeyedId]) -> list[tuple[int, int]]:
    return [(going.id, staying.id) for going, staying in domain.twins_to_tombstone(here, there)]


def test_the_later_of_two_twins_goes() -> None:
    here = [KeyedId(10, 1, "a"), KeyedId(40, 1, "b"), KeyedId(50, 2, "a")]
    there = [KeyedId(20, 1, "a"), KeyedId(30, 1, "b")]
    assert twins(here, there) == [(20, 10), (40, 30)]


def test_the_twin_of_a_tweet_that_its_author_deleted_goes_too() -> None:
    deleted_late, deleted_early = [KeyedId(20, 1, "a", deleted_ms=9)], [KeyedId(10, 1, "a", deleted_ms=9)]
    assert twins(deleted_late, [KeyedId(10, 1, "a")]) == [(10, 20)]
    assert twins([KeyedId(20, 1, "a")], deleted_early) == [(20, 10)]


def test_a_retweet_of_what_was_retweeted_and_undone_before_is_no_twin() -> None:
    undone_ms = NOW_MS + 1000
    undone = KeyedId(ids.first_id_at(NOW_MS), 1, domain.key_of("rt:7#123"), undone_ms)
    woken, anew = (KeyedId(ids.first_id_at(undone_ms + n), 1, "rt:7") for n in (-500, 500))
    assert twins([undone], [woken]) == [(woken.id, undone.id)]
    assert twins([undone], [anew]) == []


def test_a_key_of_a_client_is_kept_as_it_is() -> None:
    assert [domain.key_of(key) for key in ("a#1", "rt:7", "rt:7#123")] == ["a#1", "rt:7", "rt:7"]


def test_ids_are_unique_also_across_shards_of_one_millisecond(tmp_path: Path, clock: Clock) -> None:
    issue = issuer(tmp_path, clock)
    issued = [issue.next(shard) for shard in (0, 1, 0, 1)]
    clock.now += 1
    issued.append(issue.next(0))
    assert len(set(issued)) == 5
    assert [ids.shard_of(i) for i in issued] == [0, 1, 0, 1, 0]


def test_it_refuses_while_the_clock_is_behind(tmp_path: Path, clock: Clock) -> None:
    issue = issuer(tmp_path, clock)
    last = issue.next(0)
    clock.now -= 5
    with pytest.raises(errors.AppError, match="5 ms behind"):
        issue.next(0)
    clock.now += 6
    assert issue.next(0) > last


def test_after_a_crash_no_id_is_issued_below_the_mark_even_if_the_clock_was_set_back(tmp_path: Path, clock: Clock) -> None:
    last = issuer(tmp_path, clock).next(0)
    clock.now -= 60_000
    with pytest.raises(errors.AppError) as refused:
        issuer(tmp_path, clock).next(0)
    assert refused.value.retry_after is not None
    clock.now = NOW_MS + snowflake.AHEAD_MS
    assert issuer(tmp_path, clock).next(0) > last


def test_a_clean_restart_waits_for_nothing(tmp_path: Path, clock: Clock) -> None:
    issue = issuer(tmp_path, clock)
    last = issue.next(0)
    issue.close()
    clock.now += 1
    assert issuer(tmp_path, clock).next(0) > last


def test_a_millisecond_has_4096_ids(tmp_path: Path, clock: Clock) -> None:
    issue = issuer(tmp_path, clock)
    assert len({issue.next(0) for _ in range(4096)}) == 4096
    for _ in range(2):  # the one after it would be an id of the next worker
        with pytest.raises(errors.AppError, match="used up"):
            issue.next(0)
