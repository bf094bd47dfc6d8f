"""One real question per kind of component, so that a paused process, which still accepts connections, is told from a healthy one.

Each question opens a fresh connection: a pooled one would miss that the server takes no new ones. `ask` never raises for a sick component.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncmy
from asyncmy.errors import MySQLError

from reference_app.contract import api, storage
from reference_app.contract.topology import Component, Kind

TIMEOUT_S = 0.3
DSCP = 16
"""Class of a question's packets: CS2, operation and management (RFC 4594). Packet rules tell them from those of requests."""


@dataclass(frozen=True)
class Answer:
    """`accepted`: somebody listens there. `answered`: something came back, right or wrong. `detail` says what was wrong."""

    ok: bool
    accepted: bool
    seconds: float
    detail: str
    answered: bool = False

    @property
    def hung(self) -> bool:
        """It takes connections and says nothing, as a paused process does."""
        return self.accepted and not self.answered


class WrongAnswerError(Exception):
    """The component answered, but not what a healthy one answers."""


async def ask(component: Component, timeout_s: float = TIMEOUT_S) -> Answer:
    """Ask the component its question; the answer comes within `timeout_s` seconds, whatever state it is in."""
    started = time.perf_counter()
    accepted = answered = ok = False
    detail = ""
    try:
        async with asyncio.timeout(timeout_s):
            connection = await _connect(component.port)
            accepted = True
            await _QUESTIONS[component.kind](connection)
            answered = ok = True
    except TimeoutError:
        # Not refused: the kernel completed the connection, or left it in the full queue of a process that accepts none.
        accepted, detail = True, f"no answer within {timeout_s:g} s"
    except WrongAnswerError as wrong:
        answered, detail = True, str(wrong)
    except OSError as error:
        answered, detail = accepted, f"connection lost: {error}" if accepted else f"connection refused: {error}"
    return Answer(ok, accepted, time.perf_counter() - started, detail, answered)


async def _connect(port: int) -> socket.socket:
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    connection.setblocking(False)
    connection.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, DSCP << 2)
    try:
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    except BaseException:
        connection.close()
        raise
    return connection


async def _ask_mariadb(connection: socket.socket) -> None:
    try:
        async with asyncmy.connect(sock=connection, user=storage.DATABASE_USER) as client, client.cursor() as cursor:
            await cursor.execute("SELECT 1")
            row = await cursor.fetchone()
    except MySQLError as error:
        raise WrongAnswerError(f"SELECT 1 failed: {error}") from None
    if row != (1,):
        raise WrongAnswerError(f"SELECT 1 returned {row}")


async def _ask_redis(connection: socket.socket) -> None:
    await _expect(connection, b"PING\r\n", (b"+PONG",))


async def _ask_nats(connection: socket.socket) -> None:
    await _expect(connection, b'CONNECT {"verbose":false}\r\nPING\r\n', (b"INFO ", b"PONG"))


def _get(path: str) -> Callable[[socket.socket], Awaitable[None]]:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()

    async def ask_http(connection: socket.socket) -> None:
        await _expect(connection, request, ((b"HTTP/1.1 200", b"HTTP/1.0 200"),))

    return ask_http


async def _expect(connection: socket.socket, request: bytes, starts: tuple[bytes | tuple[bytes, ...], ...]) -> None:
    """Send the request; the reply's lines must start like this."""
    reader, writer = await asyncio.open_connection(sock=connection)
    try:
        writer.write(request)
        for start in starts:
            line = await reader.readline()
            if not line:
                raise ConnectionResetError("closed without an answer")
            if not line.startswith(start):
                raise WrongAnswerError(f"answered {line[:80].decode(errors='replace').strip()!r}")
    finally:
        writer.close()


_QUESTIONS: dict[Kind, Callable[[socket.socket], Awaitable[None]]] = {
    "mariadb": _ask_mariadb,
    "redis": _ask_redis,
    "nats": _ask_nats,
    "service": _get(api.HEALTH),
    "haproxy": _get(api.HEALTH),
    "collector": _get(api.HEALTH),
    "receiver": _get(api.HEALTH),
    "prometheus": _get("/-/ready"),
    "alertmanager": _get("/-/ready"),
    "prober": _get(api.METRICS),
}
