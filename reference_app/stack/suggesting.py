"""Loads whom to follow into the key-value tier, as a new generation."""

from __future__ import annotations

import asyncio
import time

import numpy as np
from asyncmy.errors import MySQLError

from reference_app.contract import keyvalue
from reference_app.contract.topology import Component, Lab
from reference_app.kit.home import Home
from reference_app.stack import errors, loading, who_to_follow
from reference_app.stack.graphs import Ids
from reference_app.stack.loading import Report, Table

_COLUMNS = ("k", "v")


def build(home: Home, report: Report) -> int:
    """Compute it from the follows of now and load it; returns for how many users. Raises StackError when a database does not answer."""
    lab = home.lab()
    try:
        return asyncio.run(_build(lab, report))
    except (MySQLError, OSError, TimeoutError) as error:
        raise errors.StackError(f"no suggestions were loaded, those before stay: {error or type(error).__name__}") from error


def table(lab: Lab, edges: Ids) -> Table:
    """The dataset for these follows (as in graphs.Graph). Its generation is the time, in Unix milliseconds."""
    return Table(database(lab), keyvalue.WHO_TO_FOLLOW.table, _COLUMNS, who_to_follow.rows(edges, generation=time.time_ns() // 1_000_000))


def cleared(lab: Lab) -> list[Table]:
    """Empty tables of what may not outlive the users and tweets that it is about."""
    emptied = [Table(database(lab), dataset.table, _COLUMNS, ()) for dataset in (keyvalue.COUNTS, keyvalue.DISMISSED)]
    return [*emptied, Table(database(lab), keyvalue.OPERATIONS_TABLE, ("operation", "made_s"), ())]


def database(lab: Lab) -> Component:
    """The primary of the tier."""
    (primary,) = (component for component in lab.group(keyvalue.DATABASE_GROUP) if component.role == "primary")
    return primary


async def _build(lab: Lab, report: Report) -> int:
    edges = await _follows(lab)
    tables = [table(lab, edges)]
    try:
        await loading.fill(tables, report)
        await loading.swap(tables)
    finally:
        await loading.tidy(tables)
    return len(tables[0].rows) - 1


async def _follows(lab: Lab) -> Ids:
    """Every active follow, in order (shape (n, 2))."""
    parts = [np.empty((0, 2), dtype=np.int64)]
    for shard in (component for component in lab.group("graph-db") if component.role == "primary"):
        async with loading.connected(shard) as cursor, asyncio.timeout(loading.STATEMENT_TIMEOUT_S):
            await cursor.execute("SELECT follower_id, followee_id FROM followees WHERE active = 1")
            parts.append(np.array(await cursor.fetchall(), dtype=np.int64).reshape(-1, 2))
    edges = np.concatenate(parts)
    return edges[np.lexsort((edges[:, 1], edges[:, 0]))]
