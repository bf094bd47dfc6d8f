"""MariaDB from asyncio: a bounded pool over asyncmy that tells *whether a statement can have been executed*.

The post path depends on that difference: only what was surely never sent may be tried on another shard.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncmy
import asyncmy.errors

from reference_app.contract import storage
from reference_app.contract.profile import LAB, Profile
from reference_app.kit import calls, deadline, errors
from reference_app.kit.breaker import Breaker

T = TypeVar("T")
Row = tuple[Any, ...]
_DUPLICATE_KEY, _READ_ONLY = 1062, 1290
_LOST = "lost"
_OWN_TROUBLE, _ANSWERED = "pool_exhausted", "read_only"
"""Outcomes of what was never executed that say nothing, or something good, about the server's health."""
_SESSION_TRACK = 1 << 23
_SET_UP = "SET SESSION tx_isolation = 'READ-COMMITTED', session_track_system_variables = 'last_gtid'"
"""The relay's locking reads must not lock gaps that posts insert into; and the answer to a commit names its transaction."""
_CONNECTION_CODES = range(2000, 3000)
_SYSTEM = "mariadb"


def _always(_: object) -> bool:
    return True


def _wrote(placed: tuple[object, str]) -> bool:
    """A transaction that wrote nothing waited for no replica: it proves nothing of those that do."""
    return placed[1] != ""


@dataclass(frozen=True)
class Identity:
    """What the database at the other end must say of itself; a wiped directory cannot."""

    shard: str
    lab_key: str


async def connect(port: int, *, user: str, **options: Any) -> Any:
    """A connection of asyncmy. Raises MySQLError; OSError when nobody listens, or hangs up before it has said anything."""
    try:
        return await asyncmy.connect(host="127.0.0.1", port=port, user=user, **options)
    except RuntimeError as error:  # what asyncmy says when the server, full or stopping, hung up before it looked at the socket
        raise ConnectionResetError(str(error)) from error


class Session:
    """One connection for one piece of work."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Row]:
        """All rows of a query."""
        async with self._connection.cursor() as cursor:
            await cursor.execute(sql, parameters)
            rows: Sequence[Row] = await cursor.fetchall()
            return rows

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement; returns the number of rows it touched."""
        async with self._connection.cursor() as cursor:
            touched: int = await cursor.execute(sql, parameters)
            return touched

    async def last_id(self) -> int:
        """AUTO_INCREMENT value of the last insert."""
        return int(self._connection.insert_id())

    async def commit(self) -> str:
        """The transaction's GTID as the server's answer tells it; empty when nothing was written."""
        await self._connection.query("COMMIT")
        return _last_gtid(self._connection._result.message)  # noqa: SLF001 - asyncmy has no public name for it

    async def await_position(self, gtid: str, seconds: float) -> bool:
        """False when this replica has not applied the transaction within `seconds`."""
        return bool((await self.fetch("SELECT MASTER_GTID_WAIT(%s, %s)", (gtid, seconds)))[0][0] == 0)

    async def begin(self) -> None:
        await self._connection.begin()


class Database:
    """A pool of at most `size` connections to one MariaDB, with identity check and timeouts.

    Reads and writes have a breaker each: a primary without its replica can commit nothing and be read all the same.
    """

    def __init__(
        self,
        peer: str,
        port: int,
        *,
        identity: Identity,
        size: int = 16,
        profile: Profile = LAB,
        observe: calls.ObserveStore = calls.unobserved,
        reads: Breaker,
        writes: Breaker,
    ) -> None:
        self.peer, self._reads, self._writes = peer, reads, writes
        self._port, self._identity, self._profile, self._observe = port, identity, profile, observe
        self._idle: list[Any] = []
        self._slots = asyncio.Semaphore(size)

    async def read(self, operation: str, work: Callable[[Session], Awaitable[T]], *, limit: float = math.inf) -> T:
        """Run `work` in autocommit mode, within `limit` seconds where the profile allows more."""
        return await self._run(operation, work, self._reads, limit=limit)

    async def write(self, operation: str, work: Callable[[Session], Awaitable[T]]) -> T:
        """Run `work` in one transaction and commit it."""
        result, _ = await self.write_placed(operation, work)
        return result

    async def write_placed(self, operation: str, work: Callable[[Session], Awaitable[T]]) -> tuple[T, str]:
        """`write`, and the GTID of its transaction, which a replica may be asked to wait for."""

        async def transaction(session: Session) -> tuple[T, str]:
            await session.begin()
            result = await work(session)
            return result, await session.commit()

        return await self._run(operation, transaction, self._writes, proves=_wrote)

    async def close(self) -> None:
        """Close idle connections."""
        while self._idle:
            self._idle.pop().close()

    async def _run(
        self,
        operation: str,
        work: Callable[[Session], Awaitable[T]],
        breaker: Breaker,
        *,
        limit: float = math.inf,
        proves: Callable[[T], bool] = _always,
    ) -> T:
        return await calls.measured(self._observe, self.peer, operation, self._guarded(work, breaker, limit, proves), _SYSTEM)

    async def _guarded(self, work: Callable[[Session], Awaitable[T]], breaker: Breaker, longest: float, proves: Callable[[T], bool]) -> T:
        limit = deadline.limit(min(longest, self._profile.sql_timeout))
        if not breaker.allow():
            raise errors.NeverSent(self.peer, "breaker_open")
        try:
            result = await self._pooled(work, limit)
        except errors.Rejected:
            breaker.success()
            raise
        except errors.CallError as error:
            _judge(error, breaker, self.peer)
            raise
        except BaseException:
            breaker.abandon()
            raise
        breaker.success() if proves(result) else breaker.abandon()
        return result

    async def _pooled(self, work: Callable[[Session], Awaitable[T]], limit: float) -> T:
        """Waiting for a connection, making it and the work: all of it within the limit."""
        ends = time.monotonic() + limit
        await self._slot(limit)
        connection = None
        try:
            connection = await self._connection()
            result = await self._execute(connection, work, ends - time.monotonic())
        except BaseException as error:
            # Even after an error answer its transaction may be open; closing is the simple way to be rid of it.
            _close(connection)
            if isinstance(error, errors.OutcomeUnknown) and error.outcome == _LOST:
                await self.close()  # who lost one has lost all that are as old: else each of them costs a probe of the breaker
            raise
        else:
            self._idle.append(connection)
            return result
        finally:
            self._slots.release()

    async def _slot(self, limit: float) -> None:
        if not self._slots.locked():
            await self._slots.acquire()  # at once, and without the timer that waiting takes
            return
        try:
            async with asyncio.timeout(min(limit, self._profile.connect_timeout)):
                await self._slots.acquire()
        except TimeoutError:
            raise errors.NeverSent(self.peer, _OWN_TROUBLE) from None

    async def _execute(self, connection: Any, work: Callable[[Session], Awaitable[T]], limit: float) -> T:
        if limit <= 0:
            raise errors.NeverSent(self.peer, "timeout", "connecting took all the time there was")
        try:
            async with asyncio.timeout(limit):
                return await work(Session(connection))
        except TimeoutError:
            raise errors.OutcomeUnknown(self.peer, "timeout", f"no answer in {limit:.2f} s") from None
        except asyncmy.errors.MySQLError as error:
            raise self._translated(error) from error
        except OSError as error:
            raise errors.OutcomeUnknown(self.peer, _LOST, str(error)) from error

    def _translated(self, error: Any) -> errors.CallError:
        code = error.args[0] if error.args else 0
        if code == _DUPLICATE_KEY:
            return errors.Duplicate(self.peer, "duplicate")
        if code == _READ_ONLY:
            return errors.NeverSent(self.peer, _ANSWERED, "it is no primary, or one that does not take writes at the moment")
        if isinstance(error, asyncmy.errors.InterfaceError) or code in _CONNECTION_CODES:
            return errors.OutcomeUnknown(self.peer, _LOST, str(error))
        return errors.Rejected(self.peer, "error", str(error))

    async def _connection(self) -> Any:
        while self._idle:
            connection = self._idle.pop()
            # A killed server's sockets are at end of file at once: such a connection is known to be dead before anything is sent.
            if not connection._stream_broken:  # noqa: SLF001 - asyncmy has no public name for it
                return connection
            _close(connection)
        return await self._connect()

    async def _connect(self) -> Any:
        limit = deadline.limit(self._profile.connect_timeout)
        try:
            async with asyncio.timeout(limit):
                connection = await connect(
                    self._port,
                    user=storage.APPLICATION_USER,
                    database=storage.DATABASE,
                    autocommit=True,
                    client_flag=_SESSION_TRACK,
                    init_command=_SET_UP,
                    connect_timeout=limit,
                )
                await self._identify(connection)
        except TimeoutError:
            raise errors.NeverSent(self.peer, "timeout", "no handshake") from None
        except (asyncmy.errors.MySQLError, OSError) as error:
            raise errors.NeverSent(self.peer, "refused", str(error)) from error
        return connection

    async def _identify(self, connection: Any) -> None:
        rows = await Session(connection).fetch("SELECT lab_key FROM identity WHERE shard = %s", (self._identity.shard,))
        if [tuple(row) for row in rows] != [(self._identity.lab_key,)]:
            connection.close()
            raise errors.NeverSent(self.peer, "refused", f"it is not {self._identity.shard} of this lab: was its directory replaced?")


def _judge(error: errors.CallError, breaker: Breaker, peer: str) -> None:
    """Waiting in our own queue says nothing about the database, nor does a call to somebody else; one that refuses to be written answers."""
    if error.outcome == _OWN_TROUBLE or error.peer != peer:
        breaker.abandon()
    elif error.outcome == _ANSWERED:
        breaker.success()
    else:
        breaker.failure()


def _last_gtid(message: bytes | None) -> str:
    """From the session state in an OK packet: the variable's name, then a length and the value."""
    value = (message or b"").partition(b"last_gtid")[2]
    return value[1 : 1 + value[0]].decode() if value else ""


def _close(connection: Any) -> None:
    if connection is not None:
        connection.close()
