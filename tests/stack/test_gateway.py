"""The public API as a user sees it, on the whole lab."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import pytest

from reference_app.contract import api, ids, tokens
from reference_app.contract.topology import Lab

pytestmark = pytest.mark.lab
PASSWORD = "correct horse"
PROPAGATION_SECONDS = 10


@dataclass(frozen=True)
class User:
    id: str
    handle: str
    client: httpx.Client

    def post(self, text: str, key: str = "") -> httpx.Response:
        headers = {api.IDEMPOTENCY_KEY: key or secrets.token_hex(8)}
        return self.client.post(api.TWEETS, json={"text": text}, headers=headers)

    def follow(self, other: User) -> None:
        assert self.client.put(f"/following/{other.id}").status_code == 204

    def unfollow(self, other: User) -> None:
        assert self.client.delete(f"/following/{other.id}").status_code == 204

    def home(self, **query: Any) -> dict[str, Any]:
        return page(self.client.get(api.HOME, params=query))

    def timeline(self, **query: Any) -> dict[str, Any]:
        return page(self.client.get(f"/users/{self.id}/tweets", params=query))


NewUser = Callable[[], User]


def page(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    assert (document["partial"], document["missing"]) == (False, {})
    return document


def code(response: httpx.Response) -> tuple[int, str]:
    document: dict[str, Any] = response.json()
    assert document["error"]["message"]
    assert document["request_id"] == response.headers["x-request-id"]
    return response.status_code, document["error"]["code"]


def texts(document: dict[str, Any]) -> list[str]:
    return [tweet["text"] for tweet in document["tweets"]]


def eventually(question: Callable[[], object], expected: object) -> None:
    """The answer becomes what is expected, as fan-out is asynchronous."""
    until = time.monotonic() + PROPAGATION_SECONDS
    while question() != expected and time.monotonic() < until:
        time.sleep(0.1)
    assert question() == expected


@pytest.fixture
def anonymous(lab: Lab) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=lab.entry_url, timeout=10) as client:
        yield client


@pytest.fixture
def new_user(lab: Lab, anonymous: httpx.Client) -> Iterator[NewUser]:
    """Registers and logs in somebody new."""
    clients: list[httpx.Client] = []

    def create() -> User:
        account = {"handle": f"t{secrets.token_hex(6)}", "password": PASSWORD}
        registered = anonymous.post(api.USERS, json=account)
        assert registered.status_code == 201, registered.text
        token = anonymous.post(api.TOKENS, json=account).json()["token"]
        clients.append(httpx.Client(base_url=lab.entry_url, timeout=10, headers={"authorization": f"Bearer {token}"}))
        return User(registered.json()["id"], account["handle"], clients[-1])

    yield create
    for client in clients:
        client.close()


def test_a_follower_reads_a_new_tweet_at_home_with_its_authors_handle(new_user: NewUser) -> None:
    author, reader = new_user(), new_user()
    reader.follow(author)
    posted = author.post("hello, fail whale 🐋").json()
    eventually(lambda: texts(reader.home()), ["hello, fail whale 🐋"])
    assert reader.home()["tweets"] == [posted | {"handle": author.handle, "retweet_of": None}]


def test_a_list_that_exists_already_gets_new_tweets_newest_first(new_user: NewUser) -> None:
    author, reader = new_user(), new_user()
    reader.follow(author)
    assert reader.home()["tweets"] == []
    for text in ("one", "two", "three"):
        assert author.post(text).status_code == 201
    eventually(lambda: texts(reader.home()), ["three", "two", "one"])


def test_following_shows_older_tweets_and_unfollowing_hides_them(new_user: NewUser) -> None:
    author, reader = new_user(), new_user()
    author.post("before you came")
    assert reader.home()["tweets"] == []
    reader.follow(author)
    assert texts(reader.home()) == ["before you came"]
    reader.unfollow(author)
    assert reader.home()["tweets"] == []


def test_a_post_answers_with_string_ids_and_the_time_in_its_id(new_user: NewUser) -> None:
    author = new_user()
    response = author.post("e\N{COMBINING ACUTE ACCENT}")
    tweet = response.json()
    assert (response.status_code, tweet["user_id"], tweet["text"]) == (201, author.id, "é")
    created = datetime.fromisoformat(tweet["created_at"])
    assert round(created.timestamp() * 1000) == ids.unix_ms_of(int(tweet["id"]))
    assert abs(created.timestamp() - time.time()) < 60
    assert api.IDEMPOTENCY_REPLAYED not in response.headers


def test_a_key_that_is_sent_again_stores_nothing_and_answers_the_same(new_user: NewUser) -> None:
    author = new_user()
    first, second = (author.post("once", key="the same") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers[api.IDEMPOTENCY_REPLAYED] == "true"
    assert texts(author.timeline()) == ["once"]


def test_a_key_belongs_to_its_user(new_user: NewUser) -> None:
    first, second = (new_user().post("mine", key="shared") for _ in range(2))
    assert first.json()["id"] != second.json()["id"]


def test_a_user_timeline_is_paged_by_cursor_newest_first_over_all_shards(new_user: NewUser, anonymous: httpx.Client) -> None:
    author = new_user()
    wanted = [str(n) for n in range(12)]
    for text in wanted:
        assert author.post(text).status_code == 201
    first = author.timeline(limit=5)
    second = author.timeline(limit=5, cursor=first["next_cursor"])
    third = author.timeline(limit=5, cursor=second["next_cursor"])
    assert texts(first) + texts(second) + texts(third) == wanted[::-1]
    assert third["next_cursor"] is None
    assert {tweet["handle"] for tweet in first["tweets"]} == {author.handle}
    assert page(anonymous.get(f"/users/{author.id}/tweets", params={"limit": 5})) == first


def test_a_home_timeline_is_paged_by_cursor(new_user: NewUser) -> None:
    author, reader = new_user(), new_user()
    for text in ("one", "two", "three"):
        author.post(text)
    reader.follow(author)
    first = reader.home(limit=2)
    assert texts(first) == ["three", "two"]
    assert texts(reader.home(limit=2, cursor=first["next_cursor"])) == ["one"]


def test_following_is_only_for_other_users_that_exist(new_user: NewUser) -> None:
    user = new_user()
    assert code(user.client.put("/following/9000000000000000000")) == (404, "not_found")
    assert code(user.client.put(f"/following/{user.id}")) == (422, "invalid")


def test_the_timeline_of_nobody_is_not_found(anonymous: httpx.Client) -> None:
    assert code(anonymous.get("/users/9000000000000000000/tweets")) == (404, "not_found")


def test_a_handle_is_given_once_and_a_password_is_checked(new_user: NewUser, anonymous: httpx.Client) -> None:
    user = new_user()
    account = {"handle": user.handle.upper(), "password": "another horse"}
    assert code(anonymous.post(api.USERS, json=account)) == (409, "conflict")
    assert code(anonymous.post(api.TOKENS, json=account)) == (401, "unauthorized")
    assert code(anonymous.post(api.TOKENS, json={"handle": "nobody_at_all", "password": PASSWORD})) == (401, "unauthorized")


def test_missing_forged_and_expired_tokens_are_unauthorized(lab: Lab, new_user: NewUser, anonymous: httpx.Client) -> None:
    user_id = int(new_user().id)
    forged = tokens.sign(user_id, key="guessed", expires_at=int(time.time()) + 60)
    expired = tokens.sign(user_id, key=lab.signing_key, expires_at=int(time.time()) - 1)
    for headers in ({}, {"authorization": f"Bearer {forged}"}, {"authorization": f"Bearer {expired}"}, {"authorization": "Bearer"}):
        assert code(anonymous.get(api.HOME, headers=headers)) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"not json", (400, "bad_request")),
        (b'{"text": 7}', (422, "invalid")),
        (b"{}", (422, "invalid")),
        (b'{"text": "%s"}' % (b"x" * 281), (422, "invalid")),
        (b'{"text": "%s"}' % (b"x" * api.BODY_MAX), (413, "too_large")),
    ],
)
def test_a_body_that_is_no_tweet_is_refused(new_user: NewUser, content: bytes, expected: tuple[int, str]) -> None:
    response = new_user().client.post(api.TWEETS, content=content, headers={api.IDEMPOTENCY_KEY: "k"})
    assert code(response) == expected


def test_fields_that_nobody_knows_are_tolerated(new_user: NewUser) -> None:
    body = {"text": "hi", "reply_to": None}
    assert new_user().client.post(api.TWEETS, json=body, headers={api.IDEMPOTENCY_KEY: "k"}).status_code == 201


def test_other_mistakes_are_told_by_their_codes(new_user: NewUser) -> None:
    client = new_user().client
    assert code(client.post(api.TWEETS, json={"text": "no key"})) == (400, "bad_request")
    assert code(client.get(api.HOME, params={"cursor": "x"})) == (422, "invalid")
    assert code(client.get(api.HOME, params={"limit": api.PAGE_MAX + 1})) == (422, "invalid")
    assert code(client.get("/nowhere")) == (404, "not_found")
    assert code(client.delete(api.HOME)) == (405, "method_not_allowed")
