"""A network that resets what is connected, at its next packet: one call is lost, and the pool dials anew instead of losing one call per connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

from reference_app.contract import storage
from reference_app.contract.profile import LAB
from reference_app.contract.topology import Component
from reference_app.kit import errors, sql
from reference_app.kit.breaker import Breaker
from reference_app.kit.cache import Cache
from reference_app.kit.http import Client
from reference_app.kit.sql import Database, Identity, Session

CONNECTIONS = 6
PATIENT = replace(LAB, connect_timeout=5, sql_timeout=5, redis_timeout=5)
"""A pause of the machine is no lost call."""
Call = Callable[[], Awaitable[Any]]


class Network:
    """Relays to a server. What was connected before `cut` is reset when its client says something, as by a packet rule."""

    def __init__(self) -> None:
        self.connected, self.cut_off = 0, 0
        self._relays: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        self.cut_off = self.connected

    @contextlib.asynccontextmanager
    async def leading_to(self, port: int) -> AsyncIterator[int]:
        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connected += 1
            self._relays.add(asyncio.create_task(self._relay(self.connected, port, reader, writer)))

        async with await asyncio.start_server(accepted, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]
            await asyncio.gather(*self._relays)

    async def _relay(self, number: int, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection("127.0.0.1", port)
        back = asyncio.create_task(pass_on(answers, writer))
        while data := await reader.read(65536):
            if number <= self.cut_off:
                writer.transport.abort()
                break
            requests.write(data)
        requests.close()
        await back


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


async def calls_after_a_cut(network: Network, call: Call) -> list[str]:
    """Outcomes of one call, and then of as many at once as there were connections."""
    await asyncio.gather(*(call() for _ in range(CONNECTIONS)))
    assert network.connected >= CONNECTIONS
    network.cut()
    return [await outcome(call), *await asyncio.gather(*(outcome(call) for _ in range(CONNECTIONS)))]


async def outcome(call: Call) -> str:
    try:
        await call()
    except errors.CallError as error:
        return error.outcome
    return "ok"


def test_a_database(start: Any) -> None:
    server = start("mariadb")
    identity = Identity("shard", "key")

    async def prepared() -> None:
        connection = await sql.connect(server.port, user="root", autocommit=True)
        for statement in (
            f"CREATE DATABASE {storage.DATABASE}", f"CREATE USER {storage.APPLICATION_USER}@'127.0.0.1'",
            f"GRANT ALL ON {storage.DATABASE}.* TO {storage.APPLICATION_USER}@'127.0.0.1'",
            f"CREATE TABLE {storage.DATABASE}.identity (shard VARCHAR(64), lab_key VARCHAR(64))",
        ):  # fmt: skip
            await Session(connection).execute(statement)
        await Session(connection).execute(f"INSERT INTO {storage.DATABASE}.identity VALUES (%s, %s)", (identity.shard, identity.lab_key))  # noqa: S608
        connection.close()

    async def outcomes() -> list[str]:
        await prepared()
        network = Network()
        async with network.leading_to(server.port) as port:
            database = Database("db", port, identity=identity, profile=PATIENT, reads=Breaker(), writes=Breaker())

            async def slowly(session: Session) -> None:
                await session.fetch("SELECT SLEEP(0.1)")

            try:
                return await calls_after_a_cut(network, lambda: database.read("r", slowly))
            finally:
                await database.close()

    assert asyncio.run(outcomes()) == ["lost"] + ["ok"] * CONNECTIONS


def test_a_cache(start: Any) -> None:
    server = start("redis")

    async def outcomes() -> list[str]:
        network = Network()
        async with network.leading_to(server.port) as port:
            cache = Cache(Component("cache", "redis", "cache", 0, port), profile=PATIENT, breaker=Breaker())
            try:
                return await calls_after_a_cut(network, lambda: cache.run("BLPOP", lambda client: client.blpop("nothing", 0.1)))
            finally:
                await cache.close()

    assert asyncio.run(outcomes()) == ["lost"] + ["ok"] * CONNECTIONS


def test_a_service() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(0.1)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
        writer.close()

    async def outcomes() -> list[str]:
        network = Network()
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server, network.leading_to(server.sockets[0].getsockname()[1]) as port:
            client = Client(Component("users-0", "service", "users", 0, port))
            try:
                return await calls_after_a_cut(network, lambda: client.call("GET", "/", route="/", limit=2))
            finally:
                client.close()

    assert asyncio.run(outcomes()) == ["lost"] + ["ok"] * CONNECTIONS
