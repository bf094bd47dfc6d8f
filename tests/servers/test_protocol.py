"""HTTP on the wire, byte by byte, against a small app behind uvicorn's server and our protocol."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from reference_app.kit.exchange import BODY_AHEAD
from reference_app.kit.protocol import HEAD_MAX, HttpProtocol

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]
WAIT_S = 10


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Tells method, path and the length of the body; some paths are odd."""
    if scope["path"] == "/bug":
        raise ValueError("a planted bug")
    length, more = 0, scope["path"] != "/unread"
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    body = f"{scope['method']} {scope['path']} {length}".encode() if scope["path"] != "/big" else b"x" * 3_000_000
    headers = [(b"x-odd", b"a\r\nb: c")] if scope["path"] == "/split" else [(b"x-path", scope["raw_path"])]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[tuple[uvicorn.Server, int]]:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, http=HttpProtocol, ws="none", lifespan="off", log_config=None, proxy_headers=False
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag only
        await asyncio.sleep(0.005)
    try:
        yield server, server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def talk(work: Talk) -> Any:
    async def main() -> Any:
        async with serving() as (_, port), asyncio.timeout(WAIT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                return await work(reader, writer)
            finally:
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()

    return asyncio.run(main())


def ask(sent: bytes, answers: int = 1) -> list[bytes]:
    """Bodies of that many answers."""

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[bytes]:
        writer.write(sent)
        return [(await answer(reader))[1] for _ in range(answers)]

    found: list[bytes] = talk(work)
    return found


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
    return head, await reader.readexactly(length)


def test_requests_that_come_together_are_answered_in_order() -> None:
    sent = b"POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc" + b"GET /b?c=%64 HTTP/1.1\r\n\r\n" * 5 + b"GET /%65 HTTP/1.1\r\n\r\n"
    assert ask(sent, 7) == [b"POST /a 3", *[b"GET /b 0"] * 5, b"GET /e 0"]


def test_an_answer_to_head_has_no_body() -> None:
    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"HEAD /a HTTP/1.1\r\nconnection: close\r\n\r\n")
        return await reader.read()

    assert talk(work).endswith(b"content-length: 9\r\nconnection: close\r\n\r\n")


@pytest.mark.parametrize("size", [1, BODY_AHEAD, 40 * BODY_AHEAD])
def test_a_body_may_come_in_pieces_and_be_longer_than_what_is_read_ahead(size: int) -> None:
    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(f"PUT /a HTTP/1.1\r\ncontent-length: {size}\r\n\r\n".encode())
        for start in range(0, size, 50_000):
            writer.write(b"x" * min(50_000, size - start))
            await writer.drain()
        return (await answer(reader))[1]

    assert talk(work) == f"PUT /a {size}".encode()


def test_a_body_that_nobody_reads_is_passed_over() -> None:
    sent = b"PUT /unread HTTP/1.1\r\ncontent-length: 26\r\n\r\nDELETE /tweets HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n"
    assert ask(sent, 2) == [b"PUT /unread 0", b"GET /b 0"]


def test_who_asks_before_sending_a_body_is_told_to_go_on() -> None:
    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[bytes, bytes]:
        writer.write(b"PUT /a HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        told = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"ok")
        return told, (await answer(reader))[1]

    assert talk(work) == (b"HTTP/1.1 100 Continue\r\n\r\n", b"PUT /a 2")


def test_a_slow_client_gets_all_of_large_answers() -> None:
    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[int]:
        writer.write(b"GET /big HTTP/1.1\r\n\r\n" * 3)
        await asyncio.sleep(0.2)
        return [len((await answer(reader))[1]) for _ in range(3)]

    assert talk(work) == [3_000_000] * 3


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /" + b"a" * HEAD_MAX + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * HEAD_MAX,
        b"PUT / HTTP/1.1\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n",
    ],
)
def test_what_is_no_http_or_too_long_is_refused_and_the_connection_closed(sent: bytes) -> None:
    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(sent)
        return await reader.read()

    refused = talk(work)
    assert refused.startswith(b"HTTP/1.1 400 ")
    assert b'"code":"bad_request"' in refused


@pytest.mark.parametrize("path", ["/bug", "/split"])
def test_a_bug_that_nobody_caught_closes_the_connection_without_an_answer(path: str) -> None:
    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        return await reader.read()

    assert talk(work) == b""


@pytest.mark.parametrize("head", [b"GET /a HTTP/1.0\r\n\r\n", b"GET /a HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"])
def test_old_clients_and_those_that_want_another_protocol_get_one_answer(head: bytes) -> None:
    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(head)
        return await reader.read()

    assert talk(work).endswith(b"connection: close\r\n\r\nGET /a 0")


def test_a_server_that_ends_answers_what_is_under_way_and_closes_what_is_idle() -> None:
    async def main() -> tuple[bytes, bytes]:
        async with serving() as (server, port), asyncio.timeout(WAIT_S):
            idle, other = await asyncio.open_connection("127.0.0.1", port)
            busy, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"PUT /a HTTP/1.1\r\ncontent-length: 2\r\n\r\no")
            await asyncio.sleep(0.05)
            server.should_exit = True
            closed = await idle.read()
            writer.write(b"k")
            answered = await busy.read()
            for done in (writer, other):
                done.close()
                await done.wait_closed()
            return closed, answered

    closed, answered = asyncio.run(main())
    assert closed == b""
    assert answered.endswith(b"connection: close\r\n\r\nPUT /a 2")
