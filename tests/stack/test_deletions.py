"""Deleted tweets are gone for everybody, whatever was away when they were deleted."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
import redis

from reference_app.contract import api as contract
from reference_app.contract import ids, metrics, storage
from reference_app.contract.profile import LAB
from reference_app.contract.topology import Lab
from reference_app.kit import failpoints
from reference_app.kit.home import Home
from reference_app.stack.control import Control
from tests.stack.tweeting import UNKNOWN, code, delete, gone_everywhere, new, retweet, seen_by, show, timeline

pytestmark = pytest.mark.lab


def test_only_its_author_deletes_a_tweet_and_may_do_so_twice(api: Any) -> None:
    author, stranger = api.user(), api.user()
    tweet = new(api, author)
    assert code(delete(api, stranger, tweet)) == (403, "forbidden")
    assert show(api, tweet).status_code == 200
    assert [delete(api, author, tweet).status_code for _ in range(2)] == [204, 204]
    assert code(delete(api, stranger, tweet)) == (404, "not_found")
    for unknown in (str(UNKNOWN), "9223372036854775807"):
        assert code(delete(api, author, unknown)) == (404, "not_found")
    assert code(api.call(None, "DELETE", f"/tweets/{tweet}")) == (401, "unauthorized")


def test_a_deleted_tweet_is_gone_everywhere_within_5_seconds_and_its_retweets_with_it(
    api: Any, lab: Lab, sql: Any, eventually: Any
) -> None:
    author, reader, tweet = seen_by(api, eventually)
    fan = api.user()
    shared = retweet(api, fan, tweet).json()["id"]
    assert delete(api, author, tweet).status_code == 204
    answered = time.monotonic()
    eventually(lambda: gone_everywhere(api, author, reader, tweet), "nobody sees the tweet")
    assert time.monotonic() - answered < 5
    assert timeline(api, fan) == []
    assert code(show(api, shared)) == (404, "not_found")
    assert code(retweet(api, fan, shared)) == (404, "not_found")
    shard = next(c for c in lab.group("tweets-db") if c.index == ids.shard_of(int(tweet)) and c.role == "primary")
    query = "SELECT payload, published FROM failwhale.outbox WHERE subject = %s ORDER BY id DESC LIMIT 1"
    eventually(lambda: sql.rows(shard, query, storage.SUBJECT_DELETED)[0]["published"] == 1, "the deletion is on the stream")
    assert json.loads(sql.rows(shard, query, storage.SUBJECT_DELETED)[0]["payload"])["tweet_id"] == int(tweet)


def test_the_twin_of_a_deleted_tweet_is_deleted_when_its_shard_is_back_with_it(api: Any, lab: Lab, sql: Any, eventually: Any) -> None:
    """Planted as an outage leaves them: a first attempt that woke on its shard, and the retry on another, which its author has deleted."""
    author = int(api.user().id)
    first, second = (c for c in lab.group("tweets-db") if c.role == "primary")
    now_ms = time.time_ns() // 1_000_000
    woken, retried = (ids.compose(unix_ms=now_ms - age, shard=shard, process=1, sequence=0) for age, shard in ((3000, 0), (2000, 1)))
    insert = (
        "INSERT INTO failwhale.tweets (id, user_id, idempotency_key, text, diverted, deleted_at) VALUES (%s, %s, 'twins', 'hi', %s, %s)"
    )
    sql.rows(first, insert, woken, author, 0, None)
    assert show(api, str(woken)).status_code == 200
    sql.rows(second, insert, retried, author, 1, now_ms - 1000)
    eventually(lambda: show(api, str(woken)).status_code == 404, "the twin is gone")
    query = "SELECT duplicate_of FROM failwhale.tweets WHERE id = %s"
    assert sql.rows(first, query, woken) == [{"duplicate_of": retried}]


def test_a_tweet_so_hot_that_the_service_keeps_it_in_its_process_is_gone_within_5_seconds_too(api: Any, lab: Lab, eventually: Any) -> None:
    author, reader, tweet = seen_by(api, eventually)
    (service,) = lab.group("tweets")

    def read_often() -> bool:
        """True once reads of the tweet come from the process itself."""
        assert all(show(api, tweet).status_code == 200 for _ in range(40))
        exported = httpx.get(f"http://127.0.0.1:{service.port}{contract.METRICS}").text
        return any(line.startswith(metrics.HOT_KEYS_SERVED.name) and not line.endswith(" 0.0") for line in exported.splitlines())

    eventually(read_often, "the tweet is hot")
    assert delete(api, author, tweet).status_code == 204
    answered = time.monotonic()
    eventually(lambda: gone_everywhere(api, author, reader, tweet), "nobody sees the tweet")
    assert time.monotonic() - answered < 5


@pytest.mark.breaks
def test_a_cache_that_was_away_at_the_deletion_does_not_bring_the_tweet_back(api: Any, home: Home, lab: Lab, eventually: Any) -> None:
    author, reader, tweet = seen_by(api, eventually)
    cache, control = lab.group("tweet-cache")[0], Control(home)
    with redis.Redis(port=cache.port) as client:
        assert client.get(storage.tweet_key(int(tweet))) not in (None, storage.DELETED_TWEET), "the tweet was not even cached"
        control.pause(cache.name)
        assert delete(api, author, tweet).status_code == 204
        answered = time.monotonic()
        assert gone_everywhere(api, author, reader, tweet)
        time.sleep(max(0.0, answered + 2 - time.monotonic()))
        control.resume(cache.name)
        eventually(lambda: client.get(storage.tweet_key(int(tweet))) == storage.DELETED_TWEET, "the cache holds the marker")
    assert time.monotonic() - answered < 5
    assert gone_everywhere(api, author, reader, tweet)


@pytest.mark.breaks
def test_a_deletion_whose_process_dies_after_the_commit_is_marked_by_whoever_relays_it(
    api: Any, home: Home, lab: Lab, eventually: Any
) -> None:
    author, reader, tweet = seen_by(api, eventually)
    failpoints.arm(home.failpoints_file, "delete.after_commit")
    assert api.call(author, "DELETE", f"/tweets/{tweet}").status_code == 503
    assert not home.failpoints_file.exists(), "nobody died: the test proved nothing"
    with redis.Redis(port=lab.group("tweet-cache")[0].port) as client:
        eventually(lambda: client.pttl(storage.tweet_key(int(tweet))) > 2000 * LAB.tweet_cache_ttl, "a marker, which outlives a fill")
        assert client.get(storage.tweet_key(int(tweet))) == storage.DELETED_TWEET
    eventually(lambda: gone_everywhere(api, author, reader, tweet), "nobody sees the tweet")
    assert delete(api, author, tweet).status_code == 204
