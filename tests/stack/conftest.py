"""A client of the app as a user has it, with accounts of its own per test."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncmy
import httpx
import pytest
from asyncmy.cursors import DictCursor

from reference_app.contract import api as contract
from reference_app.contract import tokens
from reference_app.contract.topology import Component, Lab
from reference_app.kit import deciders
from reference_app.kit.home import Home
from tests.stack.answers import Exchange, Raw, parsed
from tests.waiting import await_true

PASSWORD = "correct horse"


@dataclass(frozen=True)
class User:
    id: str
    token: str


class Api:
    """Calls the gateway. `post` returns the raw answer; `acknowledged` retries with the same key, as clients do."""

    def __init__(self, lab: Lab) -> None:
        self._client, self._signing_key = httpx.Client(base_url=lab.entry_url, timeout=5), lab.signing_key

    def user(self) -> User:
        """Somebody new; their token is not asked for but minted, because passwords are slow by design."""
        account = {"handle": f"t{uuid.uuid4().hex[:12]}", "password": PASSWORD}
        created = self._client.post("/users", json=account)
        assert created.status_code == 201, created.text
        user_id = created.json()["id"]
        return User(user_id, tokens.sign(int(user_id), key=self._signing_key, expires_at=int(time.time()) + 3600))

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

    def call(self, user: User | None, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request, of a user or of nobody."""
        headers = {} if user is None else _authorization(user)
        return self._client.request(method, path, headers=headers | options.pop("headers", {}), **options)

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
    client = Api(lab)
    yield client
    client.close()


class Sql:
    """Asks a database directly; events in the outbox are what tests write."""

    WRITE_EVENT = "INSERT INTO failwhale.outbox (subject, payload, created_ms, published) VALUES (%s, '', UNIX_TIMESTAMP() * 1000, 1)"

    def rows(self, component: Component, statement: str, *parameters: object) -> list[dict[str, Any]]:
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
        await_true(condition, 15, what)

    return wait


@pytest.fixture(scope="module")
def token(_started: Lab) -> str:
    """Of somebody new."""
    account = {"handle": f"h{secrets.token_hex(6)}", "password": "correct horse"}
    assert httpx.post(f"{_started.entry_url}{contract.USERS}", json=account, timeout=20).status_code == 201
    return str(httpx.post(f"{_started.entry_url}{contract.TOKENS}", json=account, timeout=20).json()["token"])


@pytest.fixture
def client(lab: Lab, token: str) -> Iterator[httpx.Client]:
    """Of somebody who is logged in; afterwards the service must still take a post and show it."""
    with httpx.Client(base_url=lab.entry_url, timeout=10, headers={"authorization": f"Bearer {token}"}) as client:
        yield client
        posted = client.post(contract.TWEETS, json={"text": "still here"}, headers={contract.IDEMPOTENCY_KEY: secrets.token_hex(8)})
        assert posted.status_code == 201, posted.text
        assert client.get(f"/tweets/{posted.json()['id']}").json()["text"] == "still here"


@pytest.fixture
def exchange(lab: Lab) -> Exchange:
    """Sends bytes on a connection of its own; all answers until the other side closes, or as many as are wanted."""

    def talk(sent: bytes, *, answers: int = 1) -> list[Raw]:
        with socket.create_connection(("127.0.0.1", lab.entry.port), timeout=10) as connection:
            connection.sendall(sent)
            received = b""
            while len(found := list(parsed(received))) < answers and (chunk := connection.recv(65536)):
                received += chunk
        return found

    return talk


def _authorization(user: User) -> dict[str, str]:
    return {"authorization": f"Bearer {user.token}"}


@pytest.fixture
def faulty(home: Home) -> Iterator[None]:
    """Requests may ask for faults."""
    deciders.write(home, "request_faults", deciders.ON, by="test")
    time.sleep(2 * deciders.POLL_SECONDS)
    yield
    deciders.write(home, "request_faults", deciders.OFF, by="test")
