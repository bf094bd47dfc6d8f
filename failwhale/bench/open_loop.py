"""Reads sent when they are due, whatever becomes of those before (open loop), over keep-alive connections of one process."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

GIVE_UP_S = 3.0


@dataclass(frozen=True)
class Request:
    """`due_s` seconds after the start, the bytes of a whole HTTP/1.1 request."""

    due_s: float
    message: bytes


@dataclass(frozen=True)
class Answer:
    """`latency_s` counts from when the request was due. `good` is what was said of its body; False for what got no answer, status 0."""

    due_s: float
    latency_s: float
    status: int
    good: bool


def get(path: str, token: str) -> bytes:
    """A GET as a logged-in user sends it."""
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {token}\r\n\r\n".encode()


def arrivals(*, per_s: float, seconds: float, rng: random.Random) -> Iterator[float]:
    """Moments of a Poisson process."""
    at = rng.expovariate(per_s)
    while at < seconds:
        yield at
        at += rng.expovariate(per_s)


async def drive(port: int, requests: Sequence[Request], *, good: Callable[[bytes], bool]) -> list[Answer]:
    """Send every request at its time; the answers in the order of the requests, once the last has come or was given up."""
    started, idle = time.perf_counter(), _Connections(port)
    tasks = []
    for request in requests:
        await asyncio.sleep(max(0.0, started + request.due_s - time.perf_counter()))
        tasks.append(asyncio.ensure_future(_answered(idle, request, started, good)))
    answers = await asyncio.gather(*tasks)
    idle.close()
    return answers


async def _answered(connections: _Connections, request: Request, started: float, good: Callable[[bytes], bool]) -> Answer:
    status, body = 0, b""
    try:
        async with asyncio.timeout(GIVE_UP_S):
            status, body = await connections.exchange(request.message)
    except (TimeoutError, OSError, asyncio.IncompleteReadError):
        pass  # no answer, status 0
    latency_s = time.perf_counter() - started - request.due_s
    return Answer(request.due_s, latency_s, status, status == 200 and good(body))


class _Connections:
    """Idle ones are used again, the latest first; one whose exchange fails is closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def exchange(self, message: bytes) -> tuple[int, bytes]:
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_content_length(head))
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
        return int(head[9:12]), body

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.removeprefix(b"content-length:"))
    return 0
