"""A timeline cache leaves the ring and comes back while people post and read."""

from __future__ import annotations

import contextlib
import threading
import uuid
from typing import Any

import httpx
import pytest

from reference_app.contract.topology import Lab
from reference_app.kit import deciders
from reference_app.kit.home import Home

FOLLOWERS, PAGE = 12, 20


def acknowledged(api: Any, author: Any) -> str:
    """The id of one more tweet, however often its post has to be tried."""
    key = uuid.uuid4().hex
    while True:
        with contextlib.suppress(httpx.TransportError):
            return str(api.acknowledged(author, key, "under way"))


@pytest.mark.verify
@pytest.mark.parametrize("guard", [deciders.ON, deciders.OFF])
def test_nobody_misses_a_tweet_or_sees_an_old_list_when_the_ring_changes_under_load(
    api: Any, lab: Lab, home: Home, failwhale: Any, eventually: Any, guard: int
) -> None:
    author, followers = api.user(), [api.user() for _ in range(FOLLOWERS)]
    for follower in followers:
        api.follow(follower, author)
        api.home(follower)
    posted: list[str] = []
    over = threading.Event()

    def post() -> None:
        while not over.wait(0.03):
            posted.append(acknowledged(api, author))
            with contextlib.suppress(httpx.TransportError):
                api.home(followers[len(posted) % FOLLOWERS])

    names = [cache.name for cache in lab.group("timeline-cache")]
    poster = threading.Thread(target=post)
    deciders.write(home, "ring_guard", guard, by="test")
    poster.start()
    try:
        for wanted in (names[:1], names, names[1:], names):
            changed = failwhale("ring", "set", "timeline-cache", *wanted)
            assert changed.returncode == 0, changed.stderr
    finally:
        over.set()
        poster.join()
        failwhale("ring", "set", "timeline-cache", *names)
        deciders.write(home, "ring_guard", deciders.ON, by="test")
    newest = posted[: -PAGE - 1 : -1]
    for follower in followers:
        eventually(lambda follower=follower: api.home_ids(follower) == newest, "the page is the newest tweets, in order")
    assert len(posted) > PAGE
