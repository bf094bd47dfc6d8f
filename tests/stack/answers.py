"""Answers of the front door, by httpx or raw off the wire, and what every refusal among them has."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from reference_app.contract import api as contract


@dataclass(frozen=True)
class Raw:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


Exchange = Callable[..., list[Raw]]


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
