"""Parts of the running lab fail for real; what users get then is asked at the front door.

Every test ends with the part being back and users having everything again, which is part of what docs/failures.md promises.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import redis

from reference_app.contract import ids
from reference_app.contract.metrics import Metric
from reference_app.contract.profile import LAB
from reference_app.contract.topology import Component, Lab
from reference_app.kit.home import Home
from reference_app.services.tweets import domain
from reference_app.stack.control import Control
from tests.stack.conftest import Api, Sql, User, api, eventually, sql

__all__ = ["api", "eventually", "sql"]

ANSWERED_S = max(LAB.home_deadline, LAB.post_deadline) + 0.5
"""The deadline of a request, and what its way through a busy machine may take."""


@dataclass(frozen=True)
class Timed:
    """An answer and how long it took."""

    answer: httpx.Response
    seconds: float

    @property
    def status(self) -> int:
        return self.answer.status_code

    def json(self) -> Any:
        return self.answer.json()


@dataclass(frozen=True)
class World:
    """An author, a follower whose home timeline exists, and the author's tweets that it shows: one on each tweet shard."""

    api: Api
    author: User
    reader: User
    tweets: tuple[str, ...]
    eventually: Callable[[Callable[[], bool], str], None]

    def ask(self, user: User | None, method: str, path: str, **options: Any) -> Timed:
        """A request that has to be answered before its deadline, whatever the answer."""
        began = time.monotonic()
        answer = self.api.call(user, method, path, **options)
        seconds = time.monotonic() - began
        assert seconds < ANSWERED_S, f"{method} {path} took {seconds:.1f} s"
        if answer.status_code == 503:
            assert float(answer.headers["retry-after"]) > 0, "whoever is refused is told when to come back"
        return Timed(answer, seconds)

    def home(self) -> Any:
        """The follower's home page, which has to be served."""
        page = self.ask(self.reader, "GET", "/home")
        assert page.status == 200, page.answer.text
        return page.json()

    def post(self, text: str = "hello") -> str:
        """A post that is acknowledged at the first attempt."""
        posted = self.ask(self.author, "POST", "/tweets", json={"text": text}, headers={"idempotency-key": uuid.uuid4().hex})
        assert posted.status == 201, posted.answer.text
        return str(posted.json()["id"])

    def shows(self, *tweets: str) -> bool:
        """True when the follower's page is complete and holds exactly these, and the tweets of the beginning."""
        page = self.api.home(self.reader)
        return page is not None and seen(page) == ({*self.tweets, *tweets}, {})


def seen(page: Any) -> tuple[set[str], dict[str, int]]:
    """Ids of a home page, and how many of what it says that it lacks."""
    return {tweet["id"] for tweet in page["tweets"]}, page["missing"]


@pytest.fixture
def control(lab: Lab, home: Home) -> Control:  # noqa: ARG001 - it runs
    return Control(home)


@pytest.fixture
def world(lab: Lab, api: Api, sql: Sql, eventually: Callable[[Callable[[], bool], str], None]) -> World:
    """Made while everything is well, and every replica has applied what was posted."""
    author, reader, anybody = (newcomer(api) for _ in range(3))
    eventually(lambda: takes_posts(lab, api, anybody), "every shard takes posts, after an earlier test's breakers have closed")
    api.follow(reader, author)
    api.home(reader)
    made = World(api, author, reader, tuple(on_every_shard(lab, api, author)), eventually)
    eventually(made.shows, "the follower sees what was posted before")
    eventually(lambda: replicated(lab, sql, made.tweets), "replicas have applied what was posted before")
    return made


def newcomer(api: Api) -> User:
    """A new user, registered by trying again: after an earlier test a breaker may refuse for some seconds."""
    limit = time.monotonic() + 15
    while True:
        try:
            return api.user()
        except AssertionError:
            assert time.monotonic() < limit, "nobody can register"
            time.sleep(0.2)


def takes_posts(lab: Lab, api: Api, anybody: User) -> bool:
    posted = on_every_shard(lab, api, anybody)
    return [ids.shard_of(int(tweet)) for tweet in posted] == list(range(len(posted)))


def on_every_shard(lab: Lab, api: Api, author: User) -> list[str]:
    """Tweets of the author, one on each shard, in their order, if all of them take posts."""
    shards = sum(component.role == "primary" for component in lab.group("tweets-db"))
    return [api.acknowledged(author, key_of(author, shard, shards), "before") for shard in range(shards)]


def replicated(lab: Lab, sql: Sql, tweets: Sequence[str]) -> bool:
    """Whether every replica of a tweet shard has applied those of the tweets that are its shard's."""
    copies = ((lab.shard(f"tweets-db-{ids.shard_of(int(tweet))}")[1], tweet) for tweet in tweets)
    return all(copy is None or sql.rows(copy, "SELECT id FROM failwhale.tweets WHERE id = %s", tweet) for copy, tweet in copies)


def key_of(author: User, shard: int, shards: int) -> str:
    """An idempotency key whose home is the shard."""
    keys = (uuid.uuid4().hex for _ in iter(int, 1))
    return next(key for key in keys if domain.shard_order(int(author.id), key, shards)[0] == shard)


def visible_rows(lab: Lab, sql: Any, user: User, key: str) -> list[int]:
    """Ids under which a key is visible, over all shards, as the primaries have them."""
    primaries = [component for component in lab.group("tweets-db") if component.role == "primary"]
    return [tweet for primary in primaries for tweet in rows_on(primary, sql, user, key)]


def rows_on(database: Component, sql: Any, user: User, key: str) -> list[int]:
    """Ids under which a key is visible on one database."""
    statement = "SELECT id FROM failwhale.tweets WHERE user_id = %s AND idempotency_key = %s AND deleted_at IS NULL"
    return [row["id"] for row in sql.rows(database, statement, user.id, key)]


def forget_tweets(lab: Lab) -> None:
    """Empty the tweet caches, which would hide for their TTL that a shard is away."""
    for cache in lab.group("tweet-cache"):
        with redis.Redis(port=cache.port) as client:
            client.flushall()


def total(lab: Lab, group: str, metric: Metric, *labels: str) -> float:
    """Sum over the processes of a group, of the samples that carry all of these label values."""
    lines = [line for c in lab.group(group) for line in httpx.get(f"http://127.0.0.1:{c.port}/metrics").text.splitlines()]
    samples = [line.partition(" # ")[0] for line in lines if line.startswith((f"{metric.name}{{", f"{metric.name} "))]
    return sum(float(sample.rpartition(" ")[2]) for sample in samples if all(f'"{label}"' in sample for label in labels))
