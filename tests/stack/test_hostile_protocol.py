"""HTTP as nobody in good faith speaks it: refused with a code, on a connection that is still good or closed, by a service that works on."""

from __future__ import annotations

import secrets
import select
import socket

import httpx
import pytest

from reference_app.contract import api as contract
from reference_app.contract.topology import Lab
from tests.stack.answers import Exchange, code, parsed, raw_code

pytestmark = pytest.mark.lab
POST = f"POST {contract.TWEETS} HTTP/1.1\r\nhost: lab\r\n"


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
