"""What docs/consistency.md promises and no other test asserts: bounds from the acknowledgement to what others see, and the order of ids."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from chaos.audit.sightings import FRESH_WITHIN_S
from reference_app.contract import ids
from tests.stack.tweeting import new, shows, timeline

pytestmark = pytest.mark.lab
SEARCHED_WITHIN_S = 5.0
CLIENTS, POSTS = 4, 10


@dataclass(frozen=True)
class Posted:
    """Unix seconds around a post that was acknowledged at the first attempt, on the clock that its id is made with."""

    sent: float
    acknowledged: float
    id: int


def seconds_until(condition: Callable[[], bool], limit_s: float) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit_s, f"not within {limit_s} s"
        time.sleep(0.05)
    return time.monotonic() - began


def test_whoever_posts_sees_it_on_their_own_timeline_at_once(api: Any) -> None:
    author = api.user()
    posted: list[str] = []
    for n in range(POSTS):
        posted.insert(0, new(api, author, str(n)))
        assert shows(timeline(api, author)) == posted


def test_what_was_posted_is_on_a_followers_page_and_found_within_its_bound(api: Any) -> None:
    author, reader, word = api.user(), api.user(), f"w{uuid.uuid4().hex[:10]}"
    api.follow(reader, author)
    api.home(reader)
    tweet = new(api, author, word)
    acknowledged = time.monotonic()
    seconds_until(lambda: api.home_ids(reader) == [tweet], FRESH_WITHIN_S["home"])
    left = SEARCHED_WITHIN_S - (time.monotonic() - acknowledged)
    seconds_until(lambda: shows(api.call(None, "GET", "/search", params={"q": word}).json()["tweets"]) == [tweet], left)


def test_an_id_was_made_between_the_request_and_its_answer_so_that_ids_are_in_the_order_of_posts(api: Any) -> None:
    """Within the second that clocks of machines may differ by, with several of them; here there is one clock."""
    authors = [api.user() for _ in range(CLIENTS)]

    def post(n: int) -> Posted:
        sent = time.time()
        tweet = new(api, authors[n % CLIENTS], str(n))
        return Posted(sent, time.time(), int(tweet))

    with ThreadPoolExecutor(CLIENTS) as pool:
        posted = list(pool.map(post, range(CLIENTS * POSTS)))
    assert len({post.id for post in posted}) == len(posted)
    for one in posted:
        assert int(one.sent * 1000) <= ids.unix_ms_of(one.id) <= one.acknowledged * 1000
    for one in posted:
        assert all(one.id < other.id for other in posted if int(one.acknowledged * 1000) < int(other.sent * 1000))
