"""A process is killed at the worst moments: nothing acknowledged is lost, nothing is visible twice."""

from __future__ import annotations

import shutil
import uuid
from typing import Any

import pytest

from reference_app.contract.topology import Lab
from reference_app.kit import failpoints
from reference_app.kit.home import Home
from reference_app.stack import bootstrap
from reference_app.stack.control import Control

pytestmark = [pytest.mark.lab, pytest.mark.breaks, pytest.mark.timeout(90)]

FOLLOWERS = 8
VICTIMS = {
    "post.before_insert": "tweets-0",
    "post.after_commit": "tweets-0",
    "post.after_reply": "tweets-0",
    "relay.after_publish": "tweets-0",
    "fanout.mid_batch": "fanout-0",
}


def visible_rows(lab: Lab, sql: Any, user_id: str, key: str) -> list[int]:
    statement = "SELECT id FROM failwhale.tweets WHERE user_id = %s AND idempotency_key = %s AND deleted_at IS NULL"
    primaries = [component for component in lab.group("tweets-db") if component.role == "primary"]
    return [row["id"] for primary in primaries for row in sql.rows(primary, statement, user_id, key)]


def unpublished(lab: Lab, sql: Any) -> int:
    statement = "SELECT COUNT(*) AS waiting FROM failwhale.outbox WHERE published = 0"
    primaries = [component for component in lab.group("tweets-db") if component.role == "primary"]
    return sum(row["waiting"] for primary in primaries for row in sql.rows(primary, statement))


def start_empty(home: Home, lab: Lab) -> None:
    """Start the stream, which is held, without anything that it had."""
    directory = bootstrap.directory(home, lab.component("events-0"))
    shutil.rmtree(directory)
    directory.mkdir()
    Control(home).start("events-0")


def pid_of(home: Home, name: str) -> int | None:
    return next(process.pid for process in Control(home).states() if process.name == name)


@pytest.mark.parametrize("name", VICTIMS)
def test_a_post_survives_the_death_of_the_process_that_handles_it(
    name: str, home: Home, lab: Lab, api: Any, sql: Any, eventually: Any
) -> None:
    author, readers = api.user(), [api.user() for _ in range(FOLLOWERS)]
    for reader in readers:
        api.follow(reader, author)
        assert api.home(reader) is not None
    before = pid_of(home, VICTIMS[name])
    failpoints.arm(home.failpoints_file, name)
    key = uuid.uuid4().hex

    tweet = api.acknowledged(author, key, f"posted over {name}")

    eventually(lambda: all(api.home_ids(reader) == [tweet] for reader in readers), "every follower sees the tweet once")
    assert visible_rows(lab, sql, author.id, key) == [int(tweet)]
    assert api.acknowledged(author, key, f"posted over {name}") == tweet
    assert not home.failpoints_file.exists(), f"nobody died at {name}: the test proved nothing"
    assert pid_of(home, VICTIMS[name]) != before


def test_a_rebuild_that_dies_half_way_is_done_again(home: Home, api: Any, eventually: Any) -> None:
    author, reader = api.user(), api.user()
    tweets = [api.acknowledged(author, uuid.uuid4().hex, f"tweet {n}") for n in range(3)]
    api.follow(reader, author)
    failpoints.arm(home.failpoints_file, "timeline.during_rebuild")

    api.home(reader)

    eventually(lambda: api.home_ids(reader) == tweets[::-1], "the timeline is whole")
    assert not home.failpoints_file.exists(), "nobody died in the rebuild: the test proved nothing"
    later = api.acknowledged(author, uuid.uuid4().hex, "after the rebuild")
    eventually(lambda: api.home_ids(reader) == [later, *tweets[::-1]], "fan-out reaches the rebuilt list")


def test_a_stream_that_comes_back_empty_gets_the_posts_of_the_outbox_again(home: Home, lab: Lab, api: Any, eventually: Any) -> None:
    author, reader, control = api.user(), api.user(), Control(home)
    api.follow(reader, author)
    assert api.home(reader) is not None
    control.kill_and_hold("events-0")
    posted = [api.acknowledged(author, uuid.uuid4().hex, f"while the stream is away {n}") for n in range(3)]
    start_empty(home, lab)
    eventually(lambda: api.home_ids(reader) == posted[::-1], "what was posted while the stream was away is delivered by the new one")
    later = api.acknowledged(author, uuid.uuid4().hex, "afterwards")
    eventually(lambda: api.home_ids(reader) == [later, *posted[::-1]], "and what is posted from then on")


def test_a_stream_that_comes_back_empty_while_nobody_posts_is_filled_again_all_the_same(
    home: Home, lab: Lab, api: Any, sql: Any, eventually: Any
) -> None:
    author, reader, control = api.user(), api.user(), Control(home)
    fanouts = [component.name for component in lab.group("fanout")]
    api.follow(reader, author)
    assert api.home(reader) is not None
    for name in fanouts:
        control.kill_and_hold(name)
    posted = api.acknowledged(author, uuid.uuid4().hex, "delivered by nobody yet")
    eventually(lambda: unpublished(lab, sql) == 0, "the stream has the post")
    control.kill_and_hold("events-0")
    start_empty(home, lab)
    for name in fanouts:
        control.start(name)
    eventually(lambda: api.home_ids(reader) == [posted], "what only the lost stream had is delivered by the new one")


def test_events_are_delivered_although_the_numbers_of_the_outbox_begin_anew(lab: Lab, api: Any, sql: Any, eventually: Any) -> None:
    """As after seeding, or after a restore: the stream drops a message whose id it has seen within two minutes."""
    author, follower = api.user(), api.user()
    api.follow(follower, author)
    assert api.home_ids(follower) == []

    def delivered_after_a_new_start(numbered: str) -> None:
        for primary in (shard for shard in lab.group("tweets-db") if shard.role == "primary"):
            sql.rows(primary, "TRUNCATE TABLE failwhale.outbox")
        posted = {api.acknowledged(author, f"{numbered}-{key}", "hello") for key in range(4)}
        eventually(lambda: posted <= set(api.home_ids(follower)), "every post is on the follower's page")

    delivered_after_a_new_start("first")
    delivered_after_a_new_start("second")
