from __future__ import annotations

import asyncio
import contextlib
import random

from failwhale.bench import open_loop
from failwhale.bench.open_loop import Answer, Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


def drive(messages: list[bytes]) -> list[Answer]:
    """Requests 10 ms apart to a server that answers the n-th line of each with its path: /ok, /busy, /slow or /hang-up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while b"/hang-up" not in (head := await reader.readuntil(b"\r\n\r\n")):
                await asyncio.sleep(0.5 if b"/slow" in head else 0)
                writer.write(BUSY if b"/busy" in head else OK)
        writer.close()

    async def work() -> list[Answer]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        requests = [Request(0.01 * n, message) for n, message in enumerate(messages)]
        answers = await open_loop.drive(port, requests, good=lambda body: body == b"good")
        server.close()
        await asyncio.sleep(0.01)  # until both ends are closed
        return answers

    return asyncio.run(work())


def test_a_slow_answer_delays_no_request_after_it() -> None:
    slow, *rest = drive([open_loop.get(path, "t") for path in ("/slow", "/ok", "/ok", "/ok")])
    assert slow.latency_s >= 0.5
    assert all(answer.latency_s < 0.4 for answer in rest)
    assert all(answer.good for answer in (slow, *rest))


def test_what_is_refused_or_not_answered_is_not_good_and_ends_nothing() -> None:
    found = drive([open_loop.get(path, "t") for path in ("/busy", "/hang-up", "/ok")])
    assert [(answer.status, answer.good) for answer in found] == [(503, False), (0, False), (200, True)]


def test_the_same_seed_makes_the_same_arrivals_at_the_rate() -> None:
    first, again = (list(open_loop.arrivals(per_s=100, seconds=50, rng=random.Random(7))) for _ in range(2))
    assert first == again
    assert 4700 < len(first) < 5300
    assert max(first) < 50
