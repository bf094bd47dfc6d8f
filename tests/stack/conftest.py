"""A client of the app as a user has it, with accounts of its own per test."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncmy
import httpx
import pytest
from asyncmy.cursors import DictCursor

from reference_app.contract.topology import Component, Lab

PASSWORD = "correct horse"


@dataclass(frozen=True)
class User:
    id: str
    token: str


class Api:
    """Calls the gateway. `post` returns the raw answer; `acknowledged` retries with the same key, as clients do."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=5)

    def user(self) -> User:
        account = {"handle": f"t{uuid.uuid4().hex[:12]}", "password": PASSWORD}
        created = self._client.post("/users", json=account)
        assert created.status_code == 201, created.text
        return User(created.json()["id"], self._client.post("/tokens", json=account).json()["token"])

    def follow(self, follower: User, followee: User) -> None:
        answer = self._client.put(f"/following/{followee.id}", headers=_authorization(follower))
        assert answer.status_code == 204, answer.text

    def post(self, author: User, key: str, text: str) -> httpx.Response:
        return self._client.post("/tweets", json={"text": text}, headers=_authorization(author) | {"idempotency-key": key})

    def acknowledged(self, author: User, key: str, text: str, *, within_s: float = 15) -> str:
        """The id of the tweet, once a post with the key was acknowledged."""
        deadline = time.monotonic() + within_s
        while True:
            answer = self.post(author, key, text)
            if answer.status_code == 201:
                return str(answer.json()["id"])
            assert answer.status_code == 503, answer.text
            assert time.monotonic() < deadline, f"not acknowledged within {within_s} s: {answer.text}"
            time.sleep(0.2)

    def home(self, user: User) -> dict[str, Any] | None:
        """The home page, None when it was not served."""
        answer = self._client.get("/home", headers=_authorization(user))
        return answer.json() if answer.status_code == 200 else None

    def home_ids(self, user: User) -> list[str]:
        """Ids on the home page; none when it was not served or is partial."""
        page = self.home(user)
        return [tweet["id"] for tweet in page["tweets"]] if page and not page["partial"] else []

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def api(lab: Lab) -> Iterator[Api]:
    client = Api(lab.entry_url)
    yield client
    client.close()


class Sql:
    """Asks a database directly; events in the outbox are what tests write."""

    WRITE_EVENT = "INSERT INTO failwhale.outbox (subject, payload, created_ms, published) VALUES (%s, '', UNIX_TIMESTAMP() * 1000, 1)"

    def rows(self, component: Component, statement: str, *parameters: str) -> list[dict[str, Any]]:
        async def ask() -> list[dict[str, Any]]:
            async with (
                asyncio.timeout(5),
                asyncmy.connect(host="127.0.0.1", port=component.port, user="root", autocommit=True) as client,
                client.cursor(DictCursor) as cursor,
            ):
                await cursor.execute(statement, parameters)
                return list(await cursor.fetchall())

        return asyncio.run(ask())

    def write_event(self, primary: Component, subject: str) -> None:
        self.rows(primary, self.WRITE_EVENT, subject)

    def copied(self, replica: Component, subject: str, limit_s: float = 3) -> bool:
        """True once the event is on the server."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            if self.rows(replica, "SELECT id FROM failwhale.outbox WHERE subject = %s", subject):
                return True
            time.sleep(0.02)
        return False


@pytest.fixture
def sql() -> Sql:
    return Sql()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool], str], None]:
    """Waits for a condition of the running system, at most 15 s."""

    def wait(condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 15
        while not condition():
            assert time.monotonic() < deadline, f"never came true: {what}"
            time.sleep(0.1)

    return wait


def _authorization(user: User) -> dict[str, str]:
    return {"authorization": f"Bearer {user.token}"}
