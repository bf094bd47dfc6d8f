from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from reference_app.contract import storage
from reference_app.contract.api import Tweet
from reference_app.kit.ring import Ring
from reference_app.services.fanout import domain as fanout
from reference_app.services.timelines import domain
from reference_app.services.timelines.domain import Circle, Timeline, Window

TWEETS = [Tweet(3, 30, "c"), Tweet(5, 50, "e"), Tweet(4, 30, "d")]


def test_a_window_is_distinct_and_newest_first_below_the_cursor() -> None:
    assert domain.window(Timeline([9, 7, 5]), [8, 7], asked=80, cursor=None) == Window([9, 8, 7, 5], more=False)
    assert domain.window(Timeline([9, 7, 5]), [7], asked=80, cursor=8) == Window([7, 5], more=False)
    assert domain.window(Timeline([]), [], asked=80, cursor=None) == Window([], more=False)


def test_a_window_ends_where_a_source_was_read_no_further() -> None:
    assert domain.window(Timeline([9, 7], whole=False), [8, 3], asked=80, cursor=None) == Window([9, 8, 7], more=True)
    assert domain.window(Timeline([9, 7, 2]), [8, 6], asked=2, cursor=None) == Window([9, 8, 7, 6], more=True)


def test_a_full_list_ends_the_timeline_for_celebrities_too() -> None:
    full = Timeline(range(1000, 200, -1))
    assert len(full.ids) == storage.TIMELINE_LENGTH
    assert domain.window(full, [205, 201, 200, 7], asked=4, cursor=206) == Window([205, 204, 203, 202, 201], more=False)


def test_tweets_of_authors_that_are_no_longer_followed_are_dropped() -> None:
    assert [tweet.id for tweet in domain.visible(TWEETS, {}, Circle(frozenset({30})), {30})] == [4, 3]


def test_all_stay_when_the_graph_could_not_be_asked() -> None:
    assert [tweet.id for tweet in domain.visible(TWEETS, {}, None, None)] == [5, 4, 3]


def test_what_a_blocked_user_wrote_does_not_come_as_a_retweet_either() -> None:
    retweets = [Tweet(8, 30, "", retweet_of=1), Tweet(9, 30, "", retweet_of=2)]
    originals = {1: Tweet(1, 66, "blocked"), 2: Tweet(2, 77, "fine")}
    circle = Circle(frozenset({30}), blocked=frozenset({66}))
    assert domain.visible(retweets, originals, circle, {30}) == [retweets[1]]


def test_a_retweet_whose_original_is_gone_is_dropped() -> None:
    assert domain.visible([Tweet(8, 30, "", retweet_of=1)], {}, Circle(frozenset({30})), {30}) == []


def test_every_retweet_of_an_original_is_a_tweet_of_its_own() -> None:
    retweets, originals = [Tweet(9, 30, "", retweet_of=1), Tweet(8, 50, "", retweet_of=1)], {1: Tweet(1, 77, "twice")}
    assert [tweet.id for tweet in domain.visible(retweets, originals, Circle(frozenset({30, 50})), {30, 50})] == [9, 8]


def test_the_original_of_a_retweet_is_shown_with_its_author_and_without_its_own_original() -> None:
    tweets, originals = [Tweet(9, 30, "", retweet_of=1)], {1: Tweet(1, 77, "fine", in_reply_to=4)}
    assert domain.authors(tweets, originals) == [30, 77]
    shown = domain.page(tweets, originals, {30: "ann", 77: "cleo"}, next_cursor=None, missing={}).tweets[0]
    assert (shown.handle, shown.text, shown.in_reply_to) == ("ann", "", None)
    assert shown.retweet_of is not None
    assert (shown.retweet_of.handle, shown.retweet_of.in_reply_to, shown.retweet_of.retweet_of) == ("cleo", "4", None)


def test_an_author_without_a_handle_makes_the_page_partial() -> None:
    whole = domain.page(TWEETS, {}, {30: "ann", 50: "bob"}, next_cursor=None, missing={})
    assert (whole.missing, [t.handle for t in whole.tweets]) == ({}, ["ann", "bob", "ann"])
    assert domain.page(TWEETS, {}, {30: "ann"}, next_cursor=3, missing={"tweets": 2}).missing == {"tweets": 2, "authors": 1}
    assert domain.page(TWEETS, {}, {}, next_cursor=None, missing={}).missing == {"authors": 3}


@pytest.mark.parametrize(("original", "expected"), [(7, [7]), (8, []), (6, []), (2, [])], ids=["absent", "listed", "merged", "too old"])
def test_a_reply_is_an_orphan_when_its_original_should_be_in_the_window_and_is_not(original: int, expected: list[int]) -> None:
    reply = Tweet(9, 30, "yes", in_reply_to=original)
    assert domain.orphans([reply, *TWEETS], Timeline([9, 8, 5]), [6], Window([9, 8, 6, 5, 4], more=True)) == expected


def test_a_page_without_replies_has_no_orphans() -> None:
    assert domain.orphans(TWEETS, Timeline([]), [], Window([5], more=False)) == []


@dataclass
class World:
    """A list as the scripts keep it, celebrities' tweets, and what was deleted; ids grow by ten, so that late ones fit between."""

    rng: random.Random
    listed: list[int] = field(default_factory=list)
    celebrity: list[int] = field(default_factory=list)
    deleted: set[int] = field(default_factory=set)
    newest: int = 100_000

    def act(self) -> None:
        action = self.rng.choice(("push", "push", "celebrity", "late", "again", "delete", "both"))
        self.newest += 10
        if action in ("push", "both"):
            self.insert(self.newest)
        if action in ("celebrity", "both"):
            self.celebrity.insert(0, self.newest)
        if action == "late":
            self.insert(self.rng.randrange(90_000, self.newest) // 10 * 10 + 5)
        if action == "again" and self.listed:
            self.insert(self.rng.choice(self.listed))
        if action == "delete" and self.listed:
            self.deleted.add(self.rng.choice(self.listed + self.celebrity))

    def insert(self, tweet_id: int) -> None:
        self.listed = sorted({*self.listed, tweet_id}, reverse=True)
        if len(self.listed) >= storage.TIMELINE_TRIM_AT:
            self.listed = self.listed[: storage.TIMELINE_LENGTH]

    def timeline(self) -> set[int]:
        end = self.listed[-1] if len(self.listed) >= storage.TIMELINE_LENGTH else 0
        return {i for i in (*self.listed, *self.celebrity) if i >= end} - self.deleted

    def page(self, limit: int, cursor: int | None) -> tuple[list[int], int | None]:
        """As services.timelines.reading does it: the head of the list for a first page, at most three rounds."""
        asked = domain.READ_AHEAD * limit
        head = self.listed[:asked] if cursor is None else self.listed
        merged = [i for i in self.celebrity if cursor is None or i < cursor][:asked]
        window = domain.window(Timeline(head, whole=cursor is not None or len(head) < asked), merged, asked=asked, cursor=cursor)
        shown: list[int] = []
        used = 0
        for _ in range(3):
            batch = window.ids[used : used + limit - len(shown)]
            shown += [i for i in batch if i not in self.deleted]
            used += len(batch)
        return shown, window.ids[used - 1] if used and (used < len(window.ids) or window.more) else None


@pytest.mark.parametrize("seed", range(25))
def test_what_is_in_the_timeline_and_stays_is_seen_exactly_once_over_all_pages(seed: int) -> None:
    rng = random.Random(seed)
    world, limit = World(rng), rng.choice((1, 3, 20, 100))
    for _ in range(rng.choice((0, 5, 60, 900))):
        world.act()
    before, stayed = world.timeline(), world.timeline()
    seen: list[int] = []
    cursor = None
    for _ in range(2000):
        shown, cursor = world.page(limit, cursor)
        assert len(shown) <= limit
        seen += shown
        for _ in range(rng.randrange(4)):
            world.act()
            stayed &= world.timeline()
        if cursor is None:
            break
    assert cursor is None
    assert seen == sorted(set(seen), reverse=True)
    assert stayed <= set(seen)
    assert stayed <= before


def test_a_fan_out_is_cut_into_chunks_of_one_cache_each() -> None:
    ring, users = Ring(["cache-0", "cache-1"]), list(range(1, 1201))
    chunks = fanout.chunks_by_node(ring, users)
    assert sorted(user for _, chunk in chunks for user in chunk) == users
    assert max(len(chunk) for _, chunk in chunks) <= fanout.CHUNK
    assert len(chunks) == sum(-(-len(group) // fanout.CHUNK) for group in ring.by_node(users).values())
    assert all(ring.node_of(user) == node for node, chunk in chunks for user in chunk)
