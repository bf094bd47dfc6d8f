from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.instrumentation import service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors


def told(name: str) -> Any:
    async def endpoint(request: Request) -> Response:
        return Response(msgspec.json.encode([name, request.path_params]))

    return endpoint


async def refuse(_request: Request) -> Response:
    raise errors.AppError("overloaded", "too much", retry_after=1.4)


APP = service.app([
    Route("/", told("web"), methods=["GET"]),
    Route("/tweets", told("post"), methods=["POST"]),
    Route("/tweets/many", told("many"), methods=["POST"]),
    Route("/tweets/{tweet_id}", told("show"), methods=["GET"]),
    Route("/tweets/{tweet_id}", told("delete"), methods=["DELETE"]),
    Route("/tweets/{tweet_id}/likes/{user_id}", told("like"), methods=["PUT"]),
    Route("/busy", refuse, methods=["GET"]),
], Recorder())  # fmt: skip


def ask(method: str, path: str) -> tuple[int, Any, dict[str, str]]:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(APP({"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}, receive, send))
    start, body = sent
    return start["status"], msgspec.json.decode(body["body"]), {name.decode(): value.decode() for name, value in start["headers"]}


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("GET", "/", ["web", {}]),
        ("POST", "/tweets", ["post", {}]),
        ("POST", "/tweets/many", ["many", {}]),
        ("GET", "/tweets/7", ["show", {"tweet_id": "7"}]),
        ("DELETE", "/tweets/7", ["delete", {"tweet_id": "7"}]),
        ("PUT", "/tweets/7/likes/9", ["like", {"tweet_id": "7", "user_id": "9"}]),
    ],
)
def test_a_request_reaches_the_endpoint_of_its_method_and_path(method: str, path: str, found: list[Any]) -> None:
    assert ask(method, path)[:2] == (200, found)


@pytest.mark.parametrize("path", ["/nothing", "/tweets/", "/tweets/7/", "/tweets/7/likes", "/tweets//likes/9", "//tweets", "*", ""])
def test_a_path_without_endpoint_is_not_found(path: str) -> None:
    status, body, _ = ask("GET", path)
    assert (status, body["error"]["code"]) == (404, "not_found")


def test_another_method_is_told_which_ones_there_are() -> None:
    status, body, headers = ask("PUT", "/tweets/7")
    assert (status, body["error"]["code"], headers["allow"]) == (405, "method_not_allowed", "DELETE, GET, HEAD")


def test_an_error_of_an_endpoint_is_json_with_its_code_and_when_to_try_again() -> None:
    status, body, headers = ask("GET", "/busy")
    assert (status, body["error"]["code"], headers["retry-after"]) == (503, "overloaded", "1")
    assert headers["content-type"] == "application/json"
