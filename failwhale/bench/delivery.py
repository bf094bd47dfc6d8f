"""Benchmark `delivery`: seconds from the acknowledgement of a post until its followers can see it, on a small lab with nothing else to do.

Authors with 1 and with 100 followers, and a celebrity, whose tweets are merged when a page is read, post through the front door, and a
follower asks for their home page until the tweet is there. The followers of the author with 10,000 are on ten pages of the graph, each
fanned out after the one before, so it is asked when those on the last page have the tweet at the head of their list: all have it then.
The bar is on the 99th percentile of that over all posts, with its interval by order statistics.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from failwhale.bench import fanout_lab, lab, model
from failwhale.bench.front_door import FrontDoor
from failwhale.bench.lists import Lists
from failwhale.bench.model import Bench, Measured, Terms
from reference_app.kit import deciders
from reference_app.stack.errors import StackError

ONE, HUNDRED, TEN_THOUSAND, CELEBRITY = 1, 2, 3, 4
"""Authors."""
FIRST_FOLLOWER = 5
FOLLOWERS = {ONE: 1, HUNDRED: 100, TEN_THOUSAND: 10_000, CELEBRITY: 10_001}
POSTS, QUICK_POSTS, PAGE_POSTS = 300, 20, 50
"""Of 300 values the largest bounds the 99th percentile with 95 % confidence."""
LAST_USERS = 32
"""On the last page, whose lists are looked at."""
GIVE_UP_S = 10.0
BAR_S = 1.0


@dataclass(frozen=True)
class Site:
    """The running lab as this benchmark uses it."""

    door: FrontDoor
    lists: Lists


def run(terms: Terms) -> Measured:
    """The 99th percentile in seconds, and percentiles of every kind of author."""
    with lab.running(terms.say, users=0) as bench_lab:
        fanout_lab.seed_stars(bench_lab, {author: range(FIRST_FOLLOWER, FIRST_FOLLOWER + count) for author, count in FOLLOWERS.items()})
        deciders.write(bench_lab.home, "celebrity_followers", FOLLOWERS[TEN_THOUSAND], by="bench")
        time.sleep(2 * deciders.POLL_SECONDS)
        with FrontDoor(bench_lab) as door, Lists(bench_lab.lab) as lists:
            site = Site(door, lists)
            lists.make(range(FIRST_FOLLOWER, FIRST_FOLLOWER + FOLLOWERS[TEN_THOUSAND]))
            large = _sampled(terms, site, TEN_THOUSAND, QUICK_POSTS if terms.quick else POSTS)
            small = {author: _sampled(terms, site, author, PAGE_POSTS) for author in (ONE, HUNDRED, CELEBRITY)}
    absolute = {
        "at_10000_followers_ms": _milliseconds(large),
        "at_100_followers_ms": _milliseconds(small[HUNDRED]),
        "at_1_follower_ms": _milliseconds(small[ONE]),
        "celebrity_by_merge_ms": _milliseconds(small[CELEBRITY]),
    }
    return Measured(model.percentile(large, 0.99), len(large), absolute)


def _sampled(terms: Terms, site: Site, author: int, posts: int) -> list[float]:
    """Seconds of each post; the first one, which meets cold caches, is not counted."""
    seconds = [_until_visible(site, author) for _ in range(posts + 1)][1:]
    terms.say(
        f"{FOLLOWERS[author]:,} followers: {posts} posts, half of them visible within {model.percentile(seconds, 0.5).value * 1000:.0f} ms"
    )
    return seconds


def _until_visible(site: Site, author: int) -> float:
    tweet_id = site.door.post(author)
    acknowledged = time.perf_counter()
    visible = _looks(site, author, tweet_id)
    while not visible():
        if time.perf_counter() - acknowledged > GIVE_UP_S:
            raise StackError(f"a tweet of the author with {FOLLOWERS[author]} followers was not visible within {GIVE_UP_S:g} s")
    return time.perf_counter() - acknowledged


def _looks(site: Site, author: int, tweet_id: int) -> Callable[[], bool]:
    if author != TEN_THOUSAND:
        return lambda: tweet_id in site.door.home(FIRST_FOLLOWER)
    end = FIRST_FOLLOWER + FOLLOWERS[author]
    return lambda: site.lists.newest(range(end - LAST_USERS, end)) == {b"%d" % tweet_id}


def _milliseconds(seconds: list[float]) -> dict[str, float]:
    return {name: model.percentile(seconds, q).value * 1000 for name, q in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))}


BENCH = Bench(
    name="delivery",
    meaning="Seconds from acknowledged to visible for the last of 10,000 followers, 99th percentile.",
    better="lower",
    against="one second",
    bar=BAR_S,
    run=run,
)
