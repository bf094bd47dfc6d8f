"""What search knows: postings, windows, and events that come twice, late, or in the wrong order."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from reference_app.contract import api, ids, storage
from reference_app.contract.profile import LAB
from reference_app.services.search import domain
from reference_app.services.search.index import Index
from reference_app.services.search.recent import Recent
from reference_app.services.search.trends import Trends

START_MS = 1_795_000_000_000
WINDOW_S, BASELINE_S = 60, 600


@dataclass
class World:
    """A clock, and what was read from the stream by then."""

    now_ms: int = START_MS
    size: int = 1000
    recent: Recent = field(init=False)

    def __post_init__(self) -> None:
        self.recent = Recent(size=self.size, now=lambda: self.now_ms / 1000)

    def event(self, text: str = "", *, user_id: int = 1, sequence: int = 0) -> storage.TweetEvent:
        tweet_id = ids.compose(unix_ms=self.now_ms, shard=0, process=0, sequence=sequence)
        return storage.TweetEvent(tweet_id, user_id, self.now_ms, text)

    def post(self, text: str, *, user_id: int = 1) -> storage.TweetEvent:
        self.now_ms += 1
        event = self.event(text, user_id=user_id)
        self.recent.posted(event)
        return event

    def found(self, query: str, *, limit: int = 20, before: int = api.MAX_ID) -> list[int]:
        return self.recent.search(query, limit=limit, before=before)

    def trends(self) -> dict[str, int]:
        return {trend.name: trend.tweets for trend in self.recent.trends(10).trends}


@pytest.fixture
def world() -> World:
    return World()


def test_a_tweet_is_found_by_all_of_its_words_newest_first(world: World) -> None:
    first, second, _ = world.post("a late goal"), world.post("GOAL! so late"), world.post("a goal")
    assert world.found("late goal") == [second.tweet_id, first.tweet_id]
    assert world.found("late nothing") == []


def test_pages_are_cut_by_the_cursor_without_gaps_or_repeats(world: World) -> None:
    posted = [world.post(f"goal {n}").tweet_id for n in range(7)]
    seen: list[int] = []
    while page := world.found("goal", limit=3, before=seen[-1] if seen else api.MAX_ID):
        seen += page
    assert seen == posted[::-1]


def test_an_event_that_comes_late_is_found_in_its_place(world: World) -> None:
    late = world.event("goal", sequence=7)
    newer = world.post("goal")
    world.recent.posted(late)
    assert world.found("goal") == [newer.tweet_id, late.tweet_id]


def test_a_deleted_tweet_is_gone_at_once_and_does_not_come_back(world: World) -> None:
    event = world.post("#goal")
    world.recent.deleted(event)
    world.recent.posted(event)
    assert (world.found("goal"), world.trends(), len(world.recent)) == ([], {}, 0)


def test_a_deletion_may_come_before_its_post(world: World) -> None:
    event = world.event("#goal")
    world.recent.deleted(event)
    world.recent.posted(event)
    assert (world.found("goal"), world.trends()) == ([], {})


def test_an_event_that_comes_twice_counts_once(world: World) -> None:
    event = world.post("#goal")
    world.recent.posted(event)
    assert (world.found("goal"), world.trends(), len(world.recent)) == ([event.tweet_id], {"#goal": 1}, 1)
    world.recent.deleted(event)
    assert (world.found("goal"), world.trends()) == ([], {})


def test_a_retweet_has_no_words_of_its_own(world: World) -> None:
    world.post("")
    assert len(world.recent) == 0


def test_what_the_stream_no_longer_keeps_is_not_found(world: World) -> None:
    event = world.post("goal")
    world.now_ms += storage.MESSAGE_KEEP_S * 1000
    assert world.found("goal") == [event.tweet_id]
    world.now_ms += 1
    assert world.found("goal") == []


def test_beyond_its_size_the_index_forgets_what_came_first() -> None:
    world = World(size=3)
    posted = [world.post("goal") for _ in range(5)]
    assert world.found("goal") == [event.tweet_id for event in posted[:1:-1]]
    for event in posted:
        world.recent.deleted(event)
    assert (world.found("goal"), len(world.recent._deleted)) == ([], 3)


def test_the_index_finds_what_a_scan_finds_whatever_came_and_went() -> None:
    rng, index, kept = random.Random(7), Index(size=10_000), {}
    words = [f"w{n}" for n in range(8)]
    for _ in range(2000):
        tweet_id = rng.randrange(1, 500)
        if rng.random() < 0.4:
            index.remove(tweet_id)
            kept.pop(tweet_id, None)
        else:
            text = rng.sample(words, rng.randint(1, 5))
            index.add(tweet_id, text)
            kept.setdefault(tweet_id, text)
        wanted, since, before = rng.sample(words, 2), rng.randrange(250), rng.randrange(250, 510)
        scanned = sorted((i for i, has in kept.items() if since <= i < before and set(wanted) <= set(has)), reverse=True)
        assert list(index.find(wanted, since=since, before=before)) == scanned


def test_a_trend_counts_each_user_once(world: World) -> None:
    repeated = [world.post("#spam", user_id=1) for _ in range(9)]
    for user_id in (1, 2, 3):
        world.post("#goal", user_id=user_id)
    assert world.trends() == {"#goal": 3, "#spam": 1}
    for event in repeated[:-1]:
        world.recent.deleted(event)
    assert world.trends() == {"#goal": 3, "#spam": 1}
    world.recent.deleted(repeated[-1])
    assert world.trends() == {"#goal": 3}


def test_a_use_leaves_the_window_when_it_is_as_old_as_the_window_is_long(world: World) -> None:
    assert LAB.trends_window == WINDOW_S
    event = world.post("#goal")
    world.now_ms = event.acknowledged_ms + WINDOW_S * 1000 - 1
    assert world.trends() == {"#goal": 1}
    world.now_ms += 1
    assert world.trends() == {}


def test_what_is_older_than_the_window_when_it_is_read_is_no_trend(world: World) -> None:
    old = world.event("#goal")
    world.now_ms += WINDOW_S * 1000
    world.recent.posted(old)
    assert (world.trends(), world.found("goal")) == ({}, [old.tweet_id])


def test_what_is_always_written_is_less_of_a_trend_than_what_is_new() -> None:
    trends = Trends(window_s=WINDOW_S, baseline_s=BASELINE_S, size=10_000)
    for user, second in enumerate(range(-BASELINE_S + 1, 1)):
        at_ms = START_MS + second * 1000
        trends.add(user, user, {"#always"} | ({"#new"} if second > -20 else set()), at_ms=at_ms, now_ms=at_ms)
    top = trends.top(10, now_ms=START_MS)
    assert [(trend.name, trend.tweets) for trend in top.trends] == [("#new", 20), ("#always", 60)]
    assert top.window_s == WINDOW_S
    assert trends.top(1, now_ms=START_MS).trends == top.trends[:1]


def test_windows_are_bounded_and_empty_in_the_end() -> None:
    trends = Trends(window_s=WINDOW_S, baseline_s=BASELINE_S, size=5)
    for n in range(20):
        trends.add(n, n, {"#goal"}, at_ms=START_MS + n, now_ms=START_MS + n)
    assert trends.top(1, now_ms=START_MS + 20).trends == [api.Trend("#goal", 5)]
    assert trends.top(1, now_ms=START_MS + BASELINE_S * 2000).trends == []
    assert [(window.users, window._uses, window._ages) for window in (trends._window, trends._baseline)] == [({}, {}, [])] * 2


def test_hashtags_are_those_of_the_text(world: World) -> None:
    text = "what a #Goal #ゴール #1 goal"
    world.post(text)
    assert set(world.trends()) == {"#goal", "#ゴール"} == domain.hashtags(text)
