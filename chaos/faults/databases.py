"""Faults of a database that is up: a locked table, slow queries, writes that hang, a stopped or read-only server, and no connection left.

Locks and connections last as long as who holds them: an agent, which ends with the fault.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Literal

from asyncmy.cursors import DictCursor
from asyncmy.errors import MySQLError

from chaos import connections
from chaos.faults.base import NotApplicableError, OnComponent, require_absent
from reference_app.contract import storage
from reference_app.contract.topology import Component
from reference_app.kit import sql
from reference_app.kit.home import Home
from reference_app.stack import agents, gtid, marks

ANSWER_SECONDS, AGAIN_SECONDS = 3.0, 0.2
LONGEST_HOLD_MS, MEASURED_STATEMENTS = 2000, 5
Thread = Literal["io", "sql"]


class _OfDatabase(OnComponent, frozen=True):
    engine: ClassVar[str] = "sql"

    def check(self, home: Home) -> None:
        super().check(home)
        if (kind := home.lab().component(self.component).kind) != "mariadb":
            raise NotApplicableError(f"{self.component} is a {kind} and no database")

    def _ask(self, home: Home, statement: str) -> list[tuple[Any, ...]]:
        return asyncio.run(answer(home.lab().component(self.component), statement))


class _ByAgent(_OfDatabase, frozen=True):
    """A fault that is something held by a process of its own."""

    def check(self, home: Home) -> None:
        super().check(home)
        require_absent(self, home)

    def apply(self, home: Home) -> None:
        if not self.sham:
            agents.start(home, self.agent, [sys.executable, "-m", "chaos.faults.databases", self.holds, self.component, *self.arguments])

    def undo(self, home: Home) -> None:
        agents.end(home, self.agent)

    def in_effect(self, home: Home) -> bool:
        return agents.running(home, self.agent)

    def measured(self, home: Home) -> dict[str, float]:
        """Statements that wait for what the agent holds."""
        return {"statements_waiting": statements_waiting(home.lab().component(self.component))}

    @property
    def agent(self) -> str:
        return f"{self.holds}-{self.component}"

    @property
    def holds(self) -> str:
        """Which of `HOLDS` the agent does."""
        raise NotImplementedError

    @property
    def arguments(self) -> tuple[str, ...]:
        return ()


class LockTable(_ByAgent, frozen=True, tag="lock_table"):
    """LOCK TABLES ... WRITE: reads and writes of the table hang, everything else answers, a health check too."""

    table: str = "tweets"

    def check(self, home: Home) -> None:
        super().check(home)
        known = [row[0] for row in self._ask(home, f"SHOW TABLES IN {storage.DATABASE}")]
        if self.table not in known:
            raise NotApplicableError(f"{self.component} has no table {self.table!r}; it has {', '.join(known)}")

    @property
    def holds(self) -> str:
        return "table"

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.table,)


class SlowQueries(LockTable, frozen=True, tag="slow_queries"):
    """A statement locks the table for `hold_ms` and leaves it alone for `pause_ms`, again and again: most that others ask waits for a part of that."""

    hold_ms: int = 300
    pause_ms: int = 100

    def check(self, home: Home) -> None:
        if not (1 <= self.hold_ms <= LONGEST_HOLD_MS and 1 <= self.pause_ms <= LONGEST_HOLD_MS):
            raise NotApplicableError(
                f"hold_ms and pause_ms are {self.hold_ms} and {self.pause_ms}: they have to be between 1 and {LONGEST_HOLD_MS}"
            )
        super().check(home)

    @property
    def holds(self) -> str:
        return "queries"

    @property
    def arguments(self) -> tuple[str, ...]:
        return (self.table, str(self.hold_ms / 1000), str(self.pause_ms / 1000))

    def measured(self, home: Home) -> dict[str, float]:
        """How long a statement that touches the table took on average, of some sent one after the other."""
        statement = f"SELECT 1 FROM {storage.DATABASE}.{self.table} LIMIT 1"  # noqa: S608 - checked to be a table
        began = time.monotonic()
        for _ in range(MEASURED_STATEMENTS):
            self._ask(home, statement)
        return {"statement_mean_ms": round(1000 * (time.monotonic() - began) / MEASURED_STATEMENTS, 1)}


class HangWrites(_ByAgent, frozen=True, tag="hang_writes"):
    """FLUSH TABLES WITH READ LOCK: reads go on, writes and commits hang, as under a backup that went wrong."""

    @property
    def holds(self) -> str:
        return "writes"


class ExhaustConnections(_ByAgent, frozen=True, tag="exhaust_connections"):
    """Every connection that the server allows is taken: open pools go on, nobody new comes in, a monitor neither (Twitter, 2014-01).

    With `cut_open` the pools' connections are closed and taken, too: nobody is in.
    """

    cut_open: bool = False

    @property
    def holds(self) -> str:
        return "connections"

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("cut",) if self.cut_open else ()

    def measured(self, home: Home) -> dict[str, float]:
        """Connections that the agent holds: the server itself lets nobody in who could ask it."""
        port, agent = home.lab().component(self.component).port, marks.components(home.path).get(self.agent)
        return {"connections_held": float(len(list(connections.local_ports(agent.pid, {port})))) if agent else 0.0}


class StopReplica(_OfDatabase, frozen=True, tag="stop_replica"):
    """One of a replica's threads stops: `sql` lags behind and still acknowledges, without `io` its primary's commits wait for ever."""

    thread: Thread = "sql"

    def check(self, home: Home) -> None:
        super().check(home)
        if not asyncio.run(_replication(home.lab().component(self.component))):
            raise NotApplicableError(f"{self.component} is no replica")
        require_absent(self, home)

    def apply(self, home: Home) -> None:
        if not self.sham:
            self._ask(home, f"STOP SLAVE {self.thread.upper()}_THREAD")

    def undo(self, home: Home) -> None:
        """One that was promoted meanwhile follows nobody."""
        if asyncio.run(_replication(home.lab().component(self.component))):
            self._ask(home, "START SLAVE")

    def in_effect(self, home: Home) -> bool:
        return bool(asyncio.run(_replication(home.lab().component(self.component))).get(f"Slave_{self.thread.upper()}_Running") == "No")

    def measured(self, home: Home) -> dict[str, float]:
        """Transactions of the primary that the replica has not executed."""
        primary, _ = home.lab().shard(home.lab().component(self.component).shard)
        ((theirs,),) = asyncio.run(answer(primary, "SELECT @@gtid_binlog_pos"))
        ((ours,),) = self._ask(home, "SELECT @@gtid_slave_pos")
        ahead, done = (max((last.number for last in gtid.position(text)), default=0) for text in (theirs, ours))
        return {"transactions_behind": float(max(0, ahead - done))}


class ReadOnly(_OfDatabase, frozen=True, tag="read_only"):
    """The server refuses writes, as a primary does that was demoted and not told to its clients."""

    def check(self, home: Home) -> None:
        super().check(home)
        if self.in_effect(home):
            raise NotApplicableError(f"{self.component} is read-only already: it is no primary")

    def apply(self, home: Home) -> None:
        if not self.sham:
            self._ask(home, "SET GLOBAL read_only = ON")

    def undo(self, home: Home) -> None:
        """One that was demoted meanwhile has to stay so."""
        if home.lab().component(self.component).role == "primary":
            self._ask(home, "SET GLOBAL read_only = OFF")

    def in_effect(self, home: Home) -> bool:
        return self._read_only(home) == 1

    def measured(self, home: Home) -> dict[str, float]:
        """The switch as the server has it."""
        return {"read_only": float(self._read_only(home))}

    def _read_only(self, home: Home) -> int:
        ((value,),) = self._ask(home, "SELECT @@global.read_only")
        return int(value)


def statements_waiting(component: Component) -> float:
    """Statements of the app that wait for a lock, or have been under way for a second or more."""
    of_the_app = (row for row in asyncio.run(answer(component, "SHOW PROCESSLIST")) if row[1] == storage.APPLICATION_USER)
    waiting = [
        1 for _, _, _, _, command, seconds, state, *_ in of_the_app if command != "Sleep" and (seconds or "Waiting for" in str(state))
    ]
    return float(len(waiting))


async def _replication(component: Component) -> dict[str, Any]:
    """SHOW SLAVE STATUS; empty for what is nobody's replica."""
    async with asyncio.timeout(ANSWER_SECONDS), await _connection(component) as connection, connection.cursor(DictCursor) as cursor:
        await cursor.execute("SHOW SLAVE STATUS")
        return next(iter(await cursor.fetchall()), {})


async def answer(component: Component, statement: str) -> list[tuple[Any, ...]]:
    """What a database says to a statement of an administrator."""
    async with asyncio.timeout(ANSWER_SECONDS), await _connection(component) as connection, connection.cursor() as cursor:
        await cursor.execute(statement)
        return list(await cursor.fetchall())


async def _connection(component: Component) -> Any:
    return await sql.connect(component.port, user=storage.DATABASE_USER, autocommit=True)


async def _hold(component: Component, statement: str) -> None:
    async with await _connection(component) as connection, connection.cursor() as cursor:
        await cursor.execute(statement)
        await asyncio.Event().wait()


async def _hold_again_and_again(component: Component, table: str, hold_s: str, pause_s: str) -> None:
    async with await _connection(component) as connection, connection.cursor() as cursor:
        while True:
            await cursor.execute(f"LOCK TABLES {storage.DATABASE}.{table} WRITE")
            await asyncio.sleep(float(hold_s))
            await cursor.execute("UNLOCK TABLES")
            await asyncio.sleep(float(pause_s))


async def _hold_connections(component: Component, cut: str = "") -> None:
    """Also those that somebody else gives back meanwhile; with `cut` nobody is asked whether he gives it back."""
    async with contextlib.AsyncExitStack() as held:
        first = await held.enter_async_context(await _connection(component))
        while True:
            try:
                await held.enter_async_context(await _connection(component))
            except (MySQLError, OSError):
                if cut:
                    await _close_all_of_the_app(first)
                await asyncio.sleep(AGAIN_SECONDS)


async def _close_all_of_the_app(connection: Any) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute(f"KILL USER {storage.APPLICATION_USER}")


HOLDS: dict[str, Callable[..., Awaitable[None]]] = {
    "table": lambda component, table: _hold(component, f"LOCK TABLES {storage.DATABASE}.{table} WRITE"),
    "queries": _hold_again_and_again,
    "writes": lambda component: _hold(component, "FLUSH TABLES WITH READ LOCK"),
    "connections": _hold_connections,
}


async def _be_agent(holds: str, component: str, *arguments: str) -> None:
    """Hold it again whenever it was lost, for the server may be restarted meanwhile."""
    while True:
        with contextlib.suppress(MySQLError, OSError):
            await HOLDS[holds](Home.from_environment().lab().component(component), *arguments)
        await asyncio.sleep(AGAIN_SECONDS)


if __name__ == "__main__":
    asyncio.run(_be_agent(*sys.argv[1:]))
