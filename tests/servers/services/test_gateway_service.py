from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reference_app.contract import api, tokens
from reference_app.contract.profile import LAB
from reference_app.instrumentation import logs
from reference_app.kit import deciders
from reference_app.kit.home import Home

POST = {"text": "hello"}
SIGNED_IN = (
    ("GET", api.HOME), ("POST", api.TWEETS), ("DELETE", "/tweets/1"), ("PUT", "/tweets/1/retweet"), ("PUT", "/tweets/1/like"),
    ("DELETE", "/tweets/1/like"), ("PUT", "/following/1"), ("DELETE", "/following/1"), ("PUT", "/blocking/1"), ("DELETE", "/blocking/1"),
    ("GET", api.SUGGESTIONS), ("DELETE", "/suggestions/1"),
)  # fmt: skip


@pytest.fixture(scope="module")
def gateway(serve: Any) -> Any:
    """A gateway with nothing behind it."""
    return serve("gateway")


@pytest.fixture(scope="module")
def user(gateway: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {token(gateway)}"}


def token(gateway: Any, *, user_id: int = 7, key: str = "", expires_in: float = 60) -> str:
    return tokens.sign(user_id, key=key or gateway.lab.signing_key, expires_at=int(time.time() + expires_in))


def post(gateway: Any, headers: dict[str, str], **options: Any) -> Any:
    return gateway.client.post(api.TWEETS, headers={api.IDEMPOTENCY_KEY: "k"} | headers, **options or {"json": POST})


def counted(gateway: Any, sample: str) -> float:
    lines = gateway.client.get(api.METRICS).text.splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith(sample))


@contextmanager
def hanging(gateway: Any, component: str) -> Iterator[None]:
    """That component accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", gateway.lab.component(component).port)):
        yield


def test_requests_without_a_valid_token_are_unauthorized(gateway: Any, code: Any) -> None:
    forged, expired = token(gateway, key="another key"), token(gateway, expires_in=-1)
    stolen = token(gateway).replace("7.", "8.", 1)
    for bearer in (
        "",
        "Bearer",
        "Bearer x",
        "Bearer ..",
        "Bearer é",
        f"Bearer {forged}",
        f"Bearer {expired}",
        f"Bearer {stolen}",
        f"Basic {expired}",
    ):
        headers = {"authorization": bearer.encode()}
        for method, path in SIGNED_IN:
            assert code(gateway.client.request(method, path, headers=headers)) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", (400, "bad_request")),
        (b"{", (400, "bad_request")),
        (b'{"text": "\xff"}', (400, "bad_request")),
        (b'{"text": "\\ud800"}', (400, "bad_request")),
        (b"[]", (422, "invalid")),
        (b"{}", (422, "invalid")),
        (b'{"text": 7}', (422, "invalid")),
        (b'{"text": null}', (422, "invalid")),
        (b'{"text": ""}', (422, "invalid")),
        (b'{"text": "a\\u0000b"}', (422, "invalid")),
        (b'{"text": "%s"}' % (b"x" * 281), (422, "invalid")),
        (b'{"text": "%s"}' % (b"x" * api.BODY_MAX), (413, "too_large")),
    ],
)
def test_a_body_that_is_no_tweet_is_refused(gateway: Any, user: Any, code: Any, body: bytes, expected: tuple[int, str]) -> None:
    assert code(post(gateway, user, content=body)) == expected


def test_a_post_needs_an_idempotency_key(gateway: Any, user: Any, code: Any) -> None:
    assert code(gateway.client.post(api.TWEETS, headers=user, json=POST)) == (400, "bad_request")
    for key in ("k" * 65, f"{api.RETWEET_KEY}1"):
        assert code(post(gateway, user | {api.IDEMPOTENCY_KEY: key})) == (422, "invalid")


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=0", "cursor=-1", "cursor=", "cursor=9223372036854775808", "limit=0", "limit=101", "limit=2.5"]
)
def test_a_bad_cursor_or_limit_is_invalid(gateway: Any, user: Any, code: Any, query: str) -> None:
    assert code(gateway.client.get(f"{api.HOME}?{query}", headers=user)) == (422, "invalid")
    assert code(gateway.client.get(f"/users/7/tweets?{query}")) == (422, "invalid")


@pytest.mark.parametrize("bad", ["x", "0", "-1", "9223372036854775808"])
def test_what_is_no_user_id_is_invalid(gateway: Any, user: Any, code: Any, bad: str) -> None:
    assert code(gateway.client.get(f"/users/{bad}/tweets")) == (422, "invalid")
    assert code(gateway.client.put(f"/following/{bad}", headers=user)) == (422, "invalid")
    assert code(gateway.client.put(f"/blocking/{bad}", headers=user)) == (422, "invalid")
    assert code(gateway.client.get(f"/tweets/{bad}")) == (422, "invalid")
    assert code(gateway.client.put(f"/tweets/{bad}/like", headers=user)) == (422, "invalid")


def test_an_unknown_route_is_not_found_and_a_known_one_takes_only_its_methods(gateway: Any, code: Any) -> None:
    assert code(gateway.client.get("/nowhere")) == (404, "not_found")
    assert code(gateway.client.get(api.TWEETS)) == (405, "method_not_allowed")
    assert code(gateway.client.post("/following/1")) == (405, "method_not_allowed")


def test_with_nobody_behind_it_the_gateway_is_unavailable_and_says_when_to_retry(gateway: Any, user: Any, code: Any) -> None:
    client, account = gateway.client, {"handle": "ada", "password": "correct horse"}
    for answer in (
        post(gateway, user),
        client.get(api.HOME, headers=user),
        client.get("/users/7/tweets"),
        client.put("/following/8", headers=user),
        client.delete("/following/8", headers=user),
        client.get("/tweets/8"),
        client.delete("/tweets/8", headers=user),
        client.put("/tweets/8/retweet", headers=user),
        client.put("/tweets/8/like", headers=user),
        client.get("/handles/ada"),
        client.post(api.USERS, json=account),
        client.post(api.TOKENS, json=account),
    ):
        assert code(answer) == (503, "unavailable")
        assert answer.headers["retry-after"] == "1"


def test_a_post_that_nobody_answers_is_indeterminate_within_its_deadline(gateway: Any, user: Any, code: Any) -> None:
    began = time.monotonic()
    with hanging(gateway, "tweets-0"):
        answer = post(gateway, user)
    assert code(answer) == (503, "indeterminate")
    assert answer.headers["retry-after"] == "1"
    assert 1.8 < time.monotonic() - began < 3


def test_a_read_that_nobody_answers_ends_at_the_clients_own_deadline(gateway: Any, user: Any, code: Any) -> None:
    began = time.monotonic()
    with hanging(gateway, "timelines-0"):
        answer = gateway.client.get(api.HOME, headers=user | {api.DEADLINE_MS: "200"})
    assert code(answer) == (504, "deadline_exceeded")
    assert 0.15 < time.monotonic() - began < 1


def test_a_client_cannot_have_the_gateway_wait_longer_than_its_own_limit(gateway: Any, user: Any, code: Any) -> None:
    began = time.monotonic()
    with hanging(gateway, "timelines-0"):
        answer = gateway.client.get(api.HOME, headers=user | {api.DEADLINE_MS: "60000"})
    assert code(answer) == (504, "deadline_exceeded")
    assert time.monotonic() - began < 3


@pytest.fixture
def concurrency(gateway: Any) -> Iterator[Callable[[int], None]]:
    """Sets how many requests may be under way."""
    home = Home(Path(gateway.lab.home))

    def allow(count: int) -> None:
        deciders.write(home, "gateway_concurrency", count, by="test")
        time.sleep(2 * deciders.POLL_SECONDS)

    yield allow
    home.deciders_file.unlink()
    time.sleep(2 * deciders.POLL_SECONDS)


def test_beyond_its_concurrency_the_gateway_refuses_at_once_what_is_not_for_operators(
    gateway: Any, user: Any, code: Any, concurrency: Callable[[int], None]
) -> None:
    concurrency(2)
    with hanging(gateway, "timelines-0"), ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(gateway.client.get, api.HOME, headers=user) for _ in range(2)]
        time.sleep(0.3)
        began = time.monotonic()
        shed = [gateway.client.get("/users/7/tweets"), post(gateway, user)]
        took = time.monotonic() - began
        health, metrics = (gateway.client.get(path) for path in (api.HEALTH, api.METRICS))
    for answer in shed:
        assert code(answer) == (503, "overloaded")
        assert answer.headers["retry-after"] == "1"
    assert took < 0.5
    assert health.text in ("ok", "warming")
    assert metrics.status_code == 200
    assert [code(answer.result()) for answer in slow] == [(504, "deadline_exceeded")] * 2
    assert counted(gateway, f'failwhale_requests_shed_total{{criticality="reading",http_route="{api.USER_TWEETS}"}}') == 1
    assert code(gateway.client.get("/users/7/tweets")) == (503, "unavailable"), "the count went back with the answers"


def test_the_clients_request_id_is_echoed(gateway: Any) -> None:
    assert gateway.client.get("/nowhere", headers={api.REQUEST_ID: "abc"}).json()["request_id"] == "abc"


def test_calls_are_measured_on_both_sides_by_route_template(gateway: Any, user: Any) -> None:
    gateway.client.get("/users/7/tweets")
    post(gateway, user)
    assert (
        counted(
            gateway,
            f'http_server_request_duration_seconds_count{{http_request_method="GET",http_response_status_code="503",http_route="{api.USER_TWEETS}"}}',
        )
        > 0
    )
    assert (
        counted(
            gateway, f'http_client_request_duration_seconds_count{{http_route="{api.Internal.CREATE}",outcome="refused",peer="tweets-0"}}'
        )
        > 0
    )


def test_every_request_is_logged_with_its_id(gateway: Any) -> None:
    gateway.client.get("/nowhere", headers={api.REQUEST_ID: "find-me"})
    time.sleep(3 * logs.DELAY_SECONDS)
    with open(f"{gateway.lab.home}/gateway-0.log") as log:  # noqa: PTH123
        lines = [line for line in log if '"request_id":"find-me"' in line]
    assert len(lines) == 1
    assert '"http.response.status_code":404' in lines[0]


def test_a_gateway_that_reaches_nobody_is_ready_when_the_time_to_warm_up_is_over(gateway: Any) -> None:
    ends = time.monotonic() + LAB.warm_up + 1
    while (health := gateway.client.get(api.HEALTH)).status_code != 200:
        assert (health.status_code, health.text) == (503, "warming")
        assert time.monotonic() < ends
        time.sleep(0.1)
