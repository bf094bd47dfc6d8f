"""Content as nobody in good faith sends it: refused with a code, by a service that works on."""

from __future__ import annotations

import re
import time

import httpx
import pytest

from reference_app.contract import api as contract
from reference_app.contract import tokens
from reference_app.contract.topology import Lab
from tests.stack.answers import code, post

pytestmark = pytest.mark.lab
DEEP = 100_000


def test_an_oversized_body_is_too_large_whether_or_not_it_says_so(client: httpx.Client) -> None:
    body = b'{"text": "%s"}' % (b"x" * contract.BODY_MAX)
    assert code(post(client, content=body)) == (413, "too_large")
    assert code(post(client, content=(body[i : i + 1000] for i in range(0, len(body), 1000)))) == (413, "too_large")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", (400, "bad_request")),
        (b"\x00", (400, "bad_request")),
        (b'{"text": "cut', (400, "bad_request")),
        (b"{'text': 'single quotes'}", (400, "bad_request")),
        (b'{"text": "a"} trailing', (400, "bad_request")),
        (b'{"text": "\xff\xfe"}', (400, "bad_request")),
        (b'{"text": "\\ud800 alone"}', (400, "bad_request")),
        (b'\xef\xbb\xbf{"text": "byte order mark"}', (400, "bad_request")),
        (b'{"text": NaN}', (400, "bad_request")),
        (b'{"text": 1e999999}', (422, "invalid")),
        (b'{"text": %s}' % (b"9" * 5000), (422, "invalid")),
        (b'{"text": true}', (422, "invalid")),
        (b'{"text": {"$gt": ""}}', (422, "invalid")),
        (b'["text"]', (422, "invalid")),
        (b"null", (422, "invalid")),
        (b'{"TEXT": "a"}', (422, "invalid")),
        (b'{"text": "a", "in_reply_to": 1}', (422, "invalid")),
        (b'{"text": "a", "in_reply_to": "-1"}', (422, "invalid")),
        (b'{"text": "a", "in_reply_to": "%s"}' % (b"9" * 19), (422, "invalid")),
    ],
)
def test_what_is_no_tweet_in_json_is_refused(client: httpx.Client, content: bytes, expected: tuple[int, str]) -> None:
    assert code(post(client, content=content)) == expected


def test_deep_nesting_is_refused_and_does_not_end_the_process(client: httpx.Client) -> None:
    for content in (b"[" * DEEP, b'{"text":' * 7000, b'{"x": %s1%s, "text": "a"}' % (b"[" * 30_000, b"]" * 30_000)):
        assert code(post(client, content=content)) in {(400, "bad_request"), (413, "too_large"), (422, "invalid")}


def test_of_a_key_that_stands_twice_the_last_one_counts(client: httpx.Client) -> None:
    answer = post(client, content=b'{"text": "first", "text": "second"}')
    assert (answer.status_code, answer.json()["text"]) == (201, "second")
    assert code(post(client, content=b'{"text": "first", "text": 2}')) == (422, "invalid")


@pytest.mark.parametrize(
    "cursor", ["-1", "0", "9223372036854775808", "9" * 400, "x", "1.5", "1e3", "٣", "%00", "1%00", "0x10", "", " 1", "1;--"]
)
def test_a_bad_cursor_is_invalid_wherever_there_are_pages(client: httpx.Client, cursor: str) -> None:
    for path in (contract.HOME, "/users/1/tweets", f"{contract.SEARCH}?q=a"):
        separator = "&" if "?" in path else "?"
        assert code(client.get(f"{path}{separator}cursor={cursor}")) == (422, "invalid")


def test_a_bad_limit_is_invalid(client: httpx.Client) -> None:
    for limit in ("0", "-1", str(contract.PAGE_MAX + 1), "9" * 5000, "all", "1%0d%0ax: y"):
        for path in (contract.HOME, contract.TRENDS):
            assert code(client.get(f"{path}?limit={limit}")) == (422, "invalid")


def test_a_search_for_no_word_or_for_too_much_is_invalid(client: httpx.Client) -> None:
    for query in ("", "%20", "%F0%9F%90%8B", "%ff%fe", "x" * 101, "x" * 20_000, "%00"):
        assert code(client.get(f"{contract.SEARCH}?q={query}")) == (422, "invalid")
    assert code(client.get(contract.SEARCH)) == (422, "invalid")
    found = client.get(contract.SEARCH, params={"q": "a&limit=0#\r\nx: y ' OR 1=1 --"})
    assert (found.status_code, found.json()["tweets"]) == (200, [])


def test_expired_forged_and_mutilated_tokens_are_unauthorized(lab: Lab, client: httpx.Client) -> None:
    good, now = client.headers["authorization"].removeprefix("Bearer "), int(time.time())
    user_id = int(good.split(".")[0])
    expired = tokens.sign(user_id, key=lab.signing_key, expires_at=now - 1)
    forged = tokens.sign(user_id, key="guessed", expires_at=now + 60)
    other = good.replace(f"{user_id}.", f"{user_id + 1}.", 1)
    longer = good.replace(".", "0.", 1)
    for token in (
        expired,
        forged,
        other,
        longer,
        good[:-1],
        good[1:],
        good + "0",
        "..",
        "." * 9,
        "1.1",
        "x" * 20_000,
        good.upper(),
    ):
        assert code(client.get(contract.HOME, headers={"authorization": f"Bearer {token}"})) == (401, "unauthorized")
    for header in ("", "Bearer", f"Basic {good}", good, f"Bearer {good} {good}"):
        assert code(client.get(contract.HOME, headers={"authorization": header})) == (401, "unauthorized")


def test_an_idempotency_key_has_to_be_there_and_sensible(client: httpx.Client) -> None:
    assert code(client.post(contract.TWEETS, json={"text": "a"})) == (400, "bad_request")
    for key in ("", "k" * 65, "k" * 20_000, "é".encode(), b"\xff\xfe", "a\tb", f"{contract.RETWEET_KEY}1"):
        assert code(post(client, json={"text": "a"}, headers={contract.IDEMPOTENCY_KEY: key})) == (422, "invalid")


def test_no_refusal_tells_what_the_service_is_made_of(client: httpx.Client) -> None:
    texts = [client.get("/nowhere").text, post(client, content=b"{").text, client.get("/tweets/x").text, client.get("/handles/%00").text]
    assert not re.search(r"Traceback|asyncmy|starlette|uvicorn|\.py|SELECT", " ".join(texts))
