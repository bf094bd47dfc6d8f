"""Content and protocol as nobody in good faith sends them: refused with a code, on a connection that is still good or closed, by a service that works on."""

from __future__ import annotations

import json
import re
import secrets
import select
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from reference_app.contract import api as contract
from reference_app.contract import tokens
from reference_app.contract.topology import Lab

pytestmark = pytest.mark.lab
DEEP = 100_000
POST = f"POST {contract.TWEETS} HTTP/1.1\r\nhost: lab\r\n"


@dataclass(frozen=True)
class Raw:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


Exchange = Callable[..., list[Raw]]


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


def parsed(received: bytes) -> Iterator[Raw]:
    while b"\r\n\r\n" in received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        yield Raw(int(status.split()[1]), headers, rest[:length])
        received = rest[length:]


def code(answer: httpx.Response) -> tuple[int, str]:
    return told(answer.status_code, answer.headers, answer.content)


def raw_code(answer: Raw) -> tuple[int, str]:
    return told(answer.status, answer.headers, answer.body)


def told(status: int, headers: Any, body: bytes) -> tuple[int, str]:
    """Every refusal is JSON with a code, a message and the request id that the header has."""
    document = json.loads(body)
    assert headers["content-type"] == "application/json"
    assert document["error"]["message"]
    assert document["request_id"] == headers[contract.REQUEST_ID]
    return status, document["error"]["code"]


def post(client: httpx.Client, **sent: Any) -> httpx.Response:
    return client.post(contract.TWEETS, headers={contract.IDEMPOTENCY_KEY: secrets.token_hex(8)} | sent.pop("headers", {}), **sent)


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


@pytest.mark.parametrize(
    "header",
    [
        b"x-request-id: a\rb: c",
        b"x-request-id: a\nb: c",
        b"x-request-id: a\x00b",
        b" folded: a\r\n\tb",
        b"no colon here",
        b"bad name: a",
        b": empty",
    ],
)
def test_headers_that_would_smuggle_another_are_refused(exchange: Exchange, header: bytes) -> None:
    [answer] = exchange(b"GET /openapi.json HTTP/1.1\r\nhost: lab\r\n" + header + b"\r\n\r\n")
    assert answer.headers.get("b") is None
    assert answer.status == 400 or answer.headers[contract.REQUEST_ID] not in {"a", "a\x00b"}
    if answer.status == 400:
        assert raw_code(answer) == (400, "bad_request")


def test_a_request_id_of_a_stranger_comes_back_as_text_and_no_longer_than_it_may_be(client: httpx.Client) -> None:
    answer = client.get("/nowhere", headers={contract.REQUEST_ID: ("<script>é" * 40).encode()})
    assert code(answer)[0] == 404
    assert len(answer.json()["request_id"]) <= 64


def test_absurd_deadlines_and_traces_are_ignored(client: httpx.Client) -> None:
    for value in ("9" * 400, "9" * 5000, "-1", "1e9", "x", ""):
        assert client.get(contract.TRENDS, headers={contract.DEADLINE_MS: value, contract.TRACEPARENT: value}).status_code == 200


def test_unknown_methods_are_refused_and_known_ones_are_told(client: httpx.Client, exchange: Exchange) -> None:
    assert code(client.request("PATCH", contract.TWEETS)) == (405, "method_not_allowed")
    assert client.request("PATCH", "/tweets/1/like").headers["allow"] == "DELETE, PUT"
    assert code(client.request("OPTIONS", contract.HOME)) == (405, "method_not_allowed")
    for method in (b"BREW", b"get", b"GET\x00", b"", b"TRACE\r\n"):
        [answer] = exchange(method + b" /home HTTP/1.1\r\nhost: lab\r\n\r\n")
        assert raw_code(answer) == (400, "bad_request")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("//home", {400, 404}), ("/home/", {404}), ("/%2e%2e/home", {404}), ("/../home", {404}), ("/home%00", {404}), ("/HOME", {404}),
        ("/users/1%2f..%2fhome", {404}), ("/users/%31%00/tweets", {422}), ("/users/٣/tweets", {400, 422}), ("/users/1e3/tweets", {422}),
        ("/tweets/9223372036854775808", {422}), ("/tweets/-1", {422}), ("/tweets/0", {422}), (f"/tweets/{'9' * 5000}", {422}),
        ("/handles/..%2f..%2fetc%2fpasswd", {404}), ("/handles/%27%20OR%201=1", {404}), ("/handles/%ff", {404}), ("/handles/" + "x" * 9000, {404}),
        ("/" + "a" * 20_000, {404}), ("/" + "a" * 60_000, {400}), ("home", {400}), ("*", {400, 404}), ("http://elsewhere/home", {401, 404}),
    ],
)  # fmt: skip
def test_tricks_with_paths_lead_nowhere(exchange: Exchange, target: str, expected: set[int]) -> None:
    [answer] = exchange(f"GET {target} HTTP/1.1\r\nhost: lab\r\n\r\n".encode())
    assert raw_code(answer)[0] in expected


def test_pipelined_requests_are_answered_in_order(exchange: Exchange) -> None:
    paths = ("/nowhere", contract.HOME, "/tweets/x", contract.TRENDS)
    sent = b"".join(f"GET {path} HTTP/1.1\r\nhost: lab\r\n\r\n".encode() for path in paths)
    assert [answer.status for answer in exchange(sent, answers=4)] == [404, 401, 422, 200]


def test_a_body_that_nobody_waited_for_is_not_taken_for_a_request(client: httpx.Client, exchange: Exchange) -> None:
    smuggled = b"DELETE /tweets/1 HTTP/1.1\r\nhost: lab\r\n\r\n"
    head = f"{POST}authorization: {client.headers['authorization']}\r\nidempotency-key: k\r\ncontent-length: {len(smuggled)}\r\n\r\n"
    first, second = exchange(head.encode() + smuggled + b"GET /nowhere HTTP/1.1\r\nhost: lab\r\n\r\n", answers=2)
    assert (raw_code(first), raw_code(second)) == ((400, "bad_request"), (404, "not_found"))


def test_who_asks_before_sending_a_body_is_answered_first(client: httpx.Client, exchange: Exchange) -> None:
    body = b'{"text": "asked first"}'
    head = f"{POST}authorization: {client.headers['authorization']}\r\nidempotency-key: {secrets.token_hex(8)}\r\n"
    head += f"expect: 100-continue\r\ncontent-length: {len(body)}\r\n\r\n"
    assert [answer.status for answer in exchange(head.encode() + body, answers=2)] == [100, 201]
    [refused] = exchange(f"{POST}expect: 100-continue\r\ncontent-length: 9999999\r\n\r\n".encode())
    assert raw_code(refused) == (401, "unauthorized")


@pytest.mark.parametrize(
    "framing",
    [
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"content-length: -5\r\n\r\nhello",
        b"content-length: 5, 5\r\n\r\nhello",
        b"content-length: 99999999999999999999999\r\n\r\nhello",
        b"transfer-encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"transfer-encoding: xchunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ],
)
def test_a_message_of_doubtful_length_is_refused_and_the_connection_closed(exchange: Exchange, framing: bytes) -> None:
    answers = exchange(POST.encode() + framing + b"GET /nowhere HTTP/1.1\r\nhost: lab\r\n\r\n", answers=3)
    assert {answer.status for answer in answers} <= {400, 401}
    assert raw_code(answers[-1]) == (400, "bad_request")


def test_what_is_no_http_at_all_is_refused(exchange: Exchange) -> None:
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\nhello\r\n\r\n",
    ):
        [answer] = exchange(sent)
        assert raw_code(answer) == (400, "bad_request")


@pytest.mark.parametrize("endless", [b"y" * 20_000, b"x: y\r\n" * 4000])
def test_a_head_without_end_is_refused_while_it_is_still_coming(lab: Lab, endless: bytes) -> None:
    with socket.create_connection(("127.0.0.1", lab.entry.port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: lab\r\nx: ")
        for _ in range(20):
            connection.sendall(endless)
            if select.select([connection], [], [], 0.2)[0]:
                break
        [answer] = parsed(connection.recv(65536))
    assert raw_code(answer) == (400, "bad_request")


def test_no_refusal_tells_what_the_service_is_made_of(client: httpx.Client) -> None:
    texts = [client.get("/nowhere").text, post(client, content=b"{").text, client.get("/tweets/x").text, client.get("/handles/%00").text]
    assert not re.search(r"Traceback|asyncmy|starlette|uvicorn|\.py|SELECT", " ".join(texts))
