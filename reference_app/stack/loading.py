"""Bulk loading: new tables are filled beside the old ones and take their names in one step, so that readers see the old rows or the new ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncmy.cursors
import numpy as np

from reference_app.contract import storage
from reference_app.contract.topology import Component
from reference_app.kit import sql
from reference_app.stack.graphs import Ids

BATCH_ROWS = 20_000
"""Rows of one statement; on a pair of servers also of one acknowledgement by the replica."""
STATEMENT_TIMEOUT_S = 60
_NEW, _OLD = "_loading", "_replaced"


@dataclass(frozen=True)
class Step:
    """How far the work is: what is going on, and how many of all rows have been written."""

    doing: str
    done: int
    total: int


Report = Callable[[Step], None]


@dataclass(frozen=True)
class Table:
    """Rows to come into a table of a database, in the order of its primary key; ids are an array of shape (n, columns)."""

    database: Component
    name: str
    columns: tuple[str, ...]
    rows: Ids | Sequence[tuple[object, ...]]

    def batches(self) -> Iterator[Sequence[Sequence[object]]]:
        """The rows as lists of plain values, BATCH_ROWS at a time."""
        for begin in range(0, len(self.rows), BATCH_ROWS):
            part = self.rows[begin : begin + BATCH_ROWS]
            yield part.tolist() if isinstance(part, np.ndarray) else part


async def fill(tables: Sequence[Table], report: Report) -> None:
    """Write the rows of every table into a new one beside it."""
    done, total = 0, sum(len(table.rows) for table in tables)
    for table in tables:
        async with connected(table.database) as cursor:
            await cursor.execute(f"DROP TABLE IF EXISTS {table.name}{_NEW}, {table.name}{_OLD}")
            await cursor.execute(f"CREATE TABLE {table.name}{_NEW} LIKE {table.name}")
            insert = f"INSERT INTO {table.name}{_NEW} ({', '.join(table.columns)}) VALUES ({', '.join(['%s'] * len(table.columns))})"  # noqa: S608
            for batch in table.batches():
                async with asyncio.timeout(STATEMENT_TIMEOUT_S):
                    await cursor.executemany(insert, batch)
                done += len(batch)
                report(Step(f"writing {table.name}", done, total))


async def swap(tables: Sequence[Table]) -> None:
    """The new ones take the names of the old ones."""
    for table in tables:
        await execute(table.database, f"RENAME TABLE {table.name} TO {table.name}{_OLD}, {table.name}{_NEW} TO {table.name}")


async def tidy(tables: Sequence[Table]) -> None:
    """Nothing is left of what was replaced, or of what was begun."""
    for table in tables:
        await execute(table.database, f"DROP TABLE IF EXISTS {table.name}{_NEW}, {table.name}{_OLD}")


async def execute(database: Component, statement: str) -> None:
    """One statement."""
    async with connected(database) as cursor, asyncio.timeout(STATEMENT_TIMEOUT_S):
        await cursor.execute(statement)


@asynccontextmanager
async def connected(database: Component) -> AsyncIterator[asyncmy.cursors.Cursor]:
    """A cursor. Rows go in MariaDB's binary bulk protocol, which asyncmy uses only with a statement cache; notes are off because it prints them."""
    async with (
        await sql.connect(
            database.port,
            user=storage.DATABASE_USER,
            database=storage.DATABASE,
            autocommit=True,
            stmt_cache_size=4,
            init_command="SET sql_notes = 0",
        ) as client,
        client.cursor() as cursor,
    ):
        yield cursor
