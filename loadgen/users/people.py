"""People in a closed loop, for playing by hand: each waits for the answer, thinks, and does the next thing. Nothing of it is recorded.

They show how a lab feels, not how fast it is: when it is slow they ask less. Measurements come from the open loop (`Spike`).
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec
from locust import FastHttpUser, between

from loadgen import session
from loadgen.model import clients, texts
from reference_app.contract import api, tokens
from reference_app.contract.topology import Lab
from reference_app.kit.home import Home

WORDS = ("goal", "offside", "keeper", "corner", "replay", "golazo")


@dataclass(frozen=True)
class Stage:
    """Where people play: users 1..`users` live in the lab."""

    lab: Lab
    users: int

    @staticmethod
    def of(home: Home) -> Stage:
        """The seeded lab of a home. Raises NoLabError and NoSeedError."""
        return Stage(home.lab(), session.users(home))


class Person(FastHttpUser):
    """Somebody who was seeded. `stage` is set before the first one appears."""

    abstract = True
    max_retries = 0
    network_timeout = connection_timeout = clients.PATIENT.timeout_s
    stage: ClassVar[Stage]

    def on_start(self) -> None:
        """Become one of the users."""
        self.random = random.Random()
        user = self.random.randint(1, self.stage.users)
        token = tokens.sign(user, key=self.stage.lab.signing_key, expires_at=int(time.time()) + tokens.LIFETIME_S)
        self.authorization = {"authorization": f"Bearer {token}"}
        self.seen: list[dict[str, Any]] = []

    def read_home(self) -> None:
        """The home page; what is on it is remembered."""
        with self.client.get(api.HOME, name=api.HOME, headers=self.authorization, catch_response=True) as answer:
            if answer.status_code == 200:
                self.seen = msgspec.json.decode(answer.content)["tweets"]

    def read_author(self) -> None:
        """The tweets of somebody on the page, or of anybody."""
        author = self.random.choice(self.seen)["user_id"] if self.seen else self.random.randint(1, self.stage.users)
        self.client.get(api.USER_TWEETS.format(user_id=author), name=api.USER_TWEETS, headers=self.authorization)

    def write(self) -> None:
        """A tweet with words of our own."""
        headers = self.authorization | {api.IDEMPOTENCY_KEY: uuid.uuid4().hex}
        self.client.post(api.TWEETS, name=api.TWEETS, headers=headers, json={"text": texts.compose(self.random)})

    def like(self) -> None:
        """Something on the page."""
        if self.seen:
            tweet = self.random.choice(self.seen)["id"]
            self.client.put(api.LIKE.format(tweet_id=tweet), name=api.LIKE, headers=self.authorization)

    def search(self) -> None:
        """A word that people use."""
        self.client.get(f"{api.SEARCH}?q={self.random.choice(WORDS)}", name=api.SEARCH, headers=self.authorization)

    def look_at_trends(self) -> None:
        """What is talked about."""
        self.client.get(api.TRENDS, name=api.TRENDS, headers=self.authorization)


def _often(shares: Mapping[Callable[..., None], int]) -> list[Any]:
    """Tasks as Locust draws from them: each as many times as its share."""
    return [do for do, share in shares.items() for _ in range(share)]


class Reader(Person):
    """Reads home timelines, now and then an author's."""

    wait_time = between(1, 5)
    tasks = _often({Person.read_home: 10, Person.read_author: 3})


class Poster(Person):
    """Writes, and looks at the home page between two tweets."""

    wait_time = between(2, 10)
    tasks = _often({Person.write: 2, Person.read_home: 1})


class Browser(Person):
    """A bit of everything, mostly reading."""

    wait_time = between(1, 5)
    tasks = _often({
        Person.read_home: 20, Person.read_author: 5, Person.search: 2, Person.look_at_trends: 1, Person.like: 2, Person.write: 1,
    })  # fmt: skip
