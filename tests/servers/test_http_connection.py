"""The client's end of a connection, against a server that behaves and servers that do not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from reference_app.kit.http_connection import Connection, Response

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
ASK = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def connected(talk: Talk) -> AsyncIterator[Connection]:
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await talk(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    _, connection = await asyncio.get_running_loop().create_connection(Connection, *server.sockets[0].getsockname())
    try:
        yield connection
    finally:
        connection.close()
        await done.wait()
        server.close()
        await server.wait_closed()


def answering(*answers: bytes) -> Talk:
    """Answers request after request, then closes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)

    return talk


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def ask_once(talk: Talk, limit: float = 2) -> tuple[Response, bool]:
    async with connected(talk) as connection:
        answer = await connection.ask(ASK, limit)
        return answer, connection.closed


def test_requests_are_answered_one_after_the_other_on_one_connection() -> None:
    async def ask() -> list[Response]:
        chunked = b"HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n1\r\n!\r\n0\r\n\r\n"
        async with connected(answering(OK, chunked, OK)) as connection:
            return [await connection.ask(ASK, 2) for _ in range(3)]

    assert asyncio.run(ask()) == [Response(200, b"ok"), Response(503, b"no!"), Response(200, b"ok")]


def test_an_answer_that_says_close_closes_the_connection() -> None:
    answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
    assert asyncio.run(ask_once(answering(answer, OK))) == (Response(200, b"ok"), True)


@pytest.mark.parametrize(
    ("talk", "limit", "error"),
    [
        (silent, 0.05, TimeoutError),
        (answering(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"), 2, ConnectionError),
        (answering(b"what is this?\r\n\r\n"), 2, ConnectionError),
        (answering(), 2, ConnectionError),
    ],
    ids=["silence", "half an answer", "no HTTP", "closed"],
)
def test_a_connection_that_failed_is_closed_and_never_used_again(talk: Talk, limit: float, error: type[Exception]) -> None:
    async def ask() -> bool:
        async with connected(talk) as connection:
            with pytest.raises(error):
                await connection.ask(ASK, limit)
            return connection.closed

    assert asyncio.run(ask())


def test_a_caller_that_gives_up_closes_the_connection_so_that_nobody_gets_its_answer() -> None:
    async def ask() -> bool:
        async with connected(silent) as connection:
            asking = asyncio.ensure_future(connection.ask(ASK, 2))
            await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            return connection.closed

    assert asyncio.run(ask())


def test_an_answer_that_nobody_asked_for_closes_the_connection() -> None:
    async def ask() -> bool:
        async with connected(answering(OK + OK, OK)) as connection:
            await connection.ask(ASK, 2)
            for _ in range(200):
                if connection.closed:
                    break
                await asyncio.sleep(0.01)
            return connection.closed

    assert asyncio.run(ask())
