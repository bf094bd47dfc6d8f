"""Home timelines on the whole lab: celebrities merged at read, paging while things change, blocks, replies that overtake."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import redis

from reference_app.contract import metrics, storage
from reference_app.contract.metrics import Metric
from reference_app.contract.topology import Lab
from reference_app.kit import deciders, ring
from reference_app.kit.home import Home
from reference_app.stack.control import Control

pytestmark = pytest.mark.lab
DEFAULT = deciders.DECIDERS["celebrity_followers"].default

Threshold = Callable[[int], None]


@pytest.fixture
def threshold(home: Home) -> Iterator[Threshold]:
    """Sets the number of followers over which authors are merged at read, until the test is over."""

    def put(followers: int) -> None:
        deciders.write(home, "celebrity_followers", followers, by="test")
        time.sleep(2 * deciders.POLL_SECONDS)

    yield put
    put(DEFAULT)


def new(api: Any, author: Any, text: str = "hello") -> str:
    return str(api.acknowledged(author, uuid.uuid4().hex, text))


def reply(api: Any, author: Any, original: str) -> str:
    body, headers = {"text": "yes", "in_reply_to": original}, {"idempotency-key": uuid.uuid4().hex}
    answer = api.call(author, "POST", "/tweets", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def total(lab: Lab, group: str, metric: Metric, *labels: str) -> float:
    """Sum over the processes of a group, of the samples that carry all of these label values."""
    name = f"{metric.name}_count" if metric.type == "histogram" else metric.name
    lines = [line for c in lab.group(group) for line in httpx.get(f"http://127.0.0.1:{c.port}/metrics").text.splitlines()]
    samples = [line.partition(" # ")[0] for line in lines if line.startswith((f"{name}{{", f"{name} "))]
    return sum(float(sample.rpartition(" ")[2]) for sample in samples if all(f'"{label}"' in sample for label in labels))


def cache_of(lab: Lab, user: Any) -> redis.Redis:
    caches = lab.group("timeline-cache")
    return redis.Redis(port=lab.component(ring.Ring([c.name for c in caches]).node_of(int(user.id))).port, decode_responses=True)


def listed(lab: Lab, user: Any) -> list[str]:
    """The list as it lies in its cache."""
    with cache_of(lab, user) as client:
        ids: list[str] = client.lrange(storage.timeline_key(user.id, client.get(storage.TIMELINE_EPOCH_KEY) or 0), 0, -1)
    return [tweet for tweet in ids if tweet != storage.TIMELINE_READY]


def celebrity(api: Any, followers: int) -> tuple[Any, list[Any]]:
    """An author with so many followers, whose home timelines exist."""
    author, readers = api.user(), [api.user() for _ in range(followers)]
    for reader in readers:
        api.follow(reader, author)
    assert all(api.home(reader) is not None for reader in readers)
    return author, readers


def test_a_celebritys_tweet_is_not_fanned_out_and_is_seen_on_the_next_read(
    api: Any, lab: Lab, threshold: Threshold, eventually: Any
) -> None:
    threshold(2)
    author, readers = celebrity(api, 3)
    before = total(lab, "fanout", metrics.DELIVERIES, "celebrity"), total(lab, "timelines", metrics.CELEBRITY_MERGES)
    tweet = new(api, author)
    assert [api.home_ids(reader) for reader in readers] == [[tweet]] * 3
    eventually(lambda: total(lab, "fanout", metrics.DELIVERIES, "celebrity") == before[0] + 1, "the event is counted as done")
    assert listed(lab, readers[0]) == []
    assert total(lab, "timelines", metrics.CELEBRITY_MERGES) >= before[1] + 3


def test_what_was_posted_under_a_lower_threshold_stays_when_it_rises(api: Any, lab: Lab, threshold: Threshold, eventually: Any) -> None:
    threshold(2)
    author, readers = celebrity(api, 3)
    first = new(api, author)
    assert api.home_ids(readers[0]) == [first]
    threshold(DEFAULT)
    eventually(lambda: all(api.home_ids(reader) == [first] for reader in readers), "the lists were rebuilt")
    assert listed(lab, readers[0]) == [first]
    second = new(api, author)
    eventually(lambda: listed(lab, readers[0]) == [second, first], "the author is fanned out now")
    threshold(2)
    third = new(api, author)
    assert api.home_ids(readers[0]) == [third, second, first]
    assert listed(lab, readers[0]) == [second, first]


def pages(api: Any, user: Any, *, limit: int) -> Iterator[list[str]]:
    cursor: dict[str, str] = {}
    while True:
        answer = api.call(user, "GET", "/home", params={"limit": limit} | cursor)
        assert (answer.status_code, answer.json().get("missing")) == (200, {}), answer.text
        yield [tweet["id"] for tweet in answer.json()["tweets"]]
        if answer.json()["next_cursor"] is None:
            return
        cursor = {"cursor": answer.json()["next_cursor"]}


def test_a_home_timeline_is_paged_without_gaps_or_repeats_while_it_changes(
    api: Any, lab: Lab, threshold: Threshold, eventually: Any
) -> None:
    threshold(2)
    star, (reader, *_) = celebrity(api, 3)
    friends = [api.user(), api.user()]
    for friend in friends:
        api.follow(reader, friend)
    api.home(reader)
    authors = [star, *friends]
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda n: (authors[n % 3], new(api, authors[n % 3], str(n))), range(120)))
    eventually(lambda: len(listed(lab, reader)) == 80, "everything is delivered")
    before = sorted((tweet for _, tweet in made), key=int, reverse=True)
    doomed = iter(made[::9])
    seen, deleted = [], set()
    for page in pages(api, reader, limit=7):
        seen += page
        for author in authors:
            new(api, author, "meanwhile")
        author, tweet = next(doomed, (None, ""))
        if author and api.call(author, "DELETE", f"/tweets/{tweet}").status_code == 204:
            deleted.add(tweet)
    assert len(deleted) > 8
    assert [tweet for tweet in seen if tweet not in deleted] == [tweet for tweet in before if tweet not in deleted]
    assert seen == sorted(set(seen), key=int, reverse=True)


def test_what_a_blocked_user_wrote_is_not_seen_as_a_retweet_either(api: Any, eventually: Any) -> None:
    reader, friend, pest = api.user(), api.user(), api.user()
    api.follow(reader, friend)
    api.home(reader)
    original = new(api, pest)
    retweet = api.call(friend, "PUT", f"/tweets/{original}/retweet").json()["id"]
    eventually(lambda: api.home_ids(reader) == [retweet], "the reader sees the retweet")
    assert api.home(reader)["tweets"][0]["retweet_of"]["user_id"] == pest.id
    assert api.call(reader, "PUT", f"/blocking/{pest.id}").status_code == 204
    assert (api.home_ids(reader), api.home(reader)["missing"]) == ([], {})
    assert api.call(reader, "DELETE", f"/blocking/{pest.id}").status_code == 204
    assert api.home_ids(reader) == [retweet]


def test_a_reply_that_overtakes_its_original_is_counted(api: Any, lab: Lab, eventually: Any) -> None:
    """The delivery of the original is held for one reader: its id is taken from the list, and put there late."""
    author, replier, reader = api.user(), api.user(), api.user()
    for followee in (author, replier):
        api.follow(reader, followee)
    old = new(api, author, "older")
    original = new(api, author)
    api.home(reader)
    with cache_of(lab, reader) as client:
        epoch = client.get(storage.TIMELINE_EPOCH_KEY) or 0
        assert client.lrem(storage.timeline_key(reader.id, epoch), 0, original) == 1
        before = total(lab, "timelines", metrics.REPLIES_BEFORE_ORIGINAL)
        answer = reply(api, replier, original)
        eventually(lambda: api.home_ids(reader) == [answer, old], "the reply is there and its original is not")
        assert (overtaken := total(lab, "timelines", metrics.REPLIES_BEFORE_ORIGINAL)) > before
        late = (original, "", storage.TIMELINE_TRIM_AT, storage.TIMELINE_LENGTH, f"[{reader.id}]")
        assert client.eval(storage.script("deliver"), 1, storage.TIMELINE_EPOCH_KEY, *late) == 1
    assert api.home_ids(reader) == [answer, original, old]
    assert total(lab, "timelines", metrics.REPLIES_BEFORE_ORIGINAL) == overtaken


def test_a_page_of_plain_tweets_costs_one_call_once_the_people_are_known(api: Any, lab: Lab, eventually: Any) -> None:
    author, reader = api.user(), api.user()
    api.follow(reader, author)
    api.home(reader)
    tweet = new(api, author)
    eventually(lambda: api.home_ids(reader) == [tweet], "the reader sees the tweet")
    before = total(lab, "timelines", metrics.HTTP_CLIENT)
    for _ in range(10):
        assert api.home_ids(reader) == [tweet]
    assert total(lab, "timelines", metrics.HTTP_CLIENT) == before + 10


@pytest.mark.breaks
def test_a_page_says_when_celebrities_could_not_be_asked_for(api: Any, home: Home, threshold: Threshold, eventually: Any) -> None:
    threshold(2)
    _, (reader, *_) = celebrity(api, 3)
    deciders.write(home, "replica_reads", deciders.OFF, by="test")
    Control(home).pause("tweets-db-1-primary")
    eventually(lambda: (api.home(reader) or {}).get("missing") == {"celebrities": 1}, "the page is partial")
