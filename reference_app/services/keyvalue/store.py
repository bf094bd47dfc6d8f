"""SQL of the key-value database: a table per dataset. Keys are touched in order, so that no two transactions wait for one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from reference_app.contract import keyvalue, storage
from reference_app.contract.api import Addition
from reference_app.contract.keyvalue import Dataset
from reference_app.kit.sql import Session

PURGED_AT_ONCE = 1000


async def get(session: Session, dataset: Dataset, keys: Sequence[str]) -> dict[str, int | str]:
    """Those of the keys that are there."""
    rows = await session.fetch(f"SELECT k, v FROM {dataset.table} WHERE k IN {_marks(keys)}", keys)  # noqa: S608
    return {key.decode(): value if dataset.counts else value.decode() for key, value in rows}


async def put(session: Session, dataset: Dataset, values: Mapping[str, str]) -> None:
    """Insert or replace."""
    await _upsert(session, dataset.table, sorted(values.items()), "v = VALUES(v)")


async def remove(session: Session, dataset: Dataset, keys: Iterable[str]) -> None:
    """No error for what is not there."""
    wanted = sorted(set(keys))
    await session.execute(f"DELETE FROM {dataset.table} WHERE k IN {_marks(wanted)}", wanted)  # noqa: S608


async def add(session: Session, dataset: Dataset, additions: Sequence[Addition], *, now_s: int) -> None:
    """Make those that were not made before, in the caller's transaction. Raises Duplicate when another one makes one of them meanwhile."""
    fresh = await _not_made(session, additions, now_s)
    sums: Counter[str] = Counter()
    for addition in fresh:
        sums[addition.key] += addition.by
    if sums:
        await _upsert(session, dataset.table, sorted(sums.items()), "v = v + VALUES(v)")


async def purge_operations(session: Session, before_s: int) -> int:
    """Forget old additions, so many at once; returns how many."""
    return await session.execute(
        f"DELETE FROM {keyvalue.OPERATIONS_TABLE} WHERE made_s < %s ORDER BY made_s LIMIT {PURGED_AT_ONCE}",  # noqa: S608
        (before_s,),
    )


async def engines(session: Session) -> dict[str, str]:
    """Table -> its engine."""
    rows = await session.fetch("SELECT table_name, engine FROM information_schema.tables WHERE table_schema = %s", (storage.DATABASE,))
    return dict(rows)


async def _not_made(session: Session, additions: Sequence[Addition], now_s: int) -> list[Addition]:
    """What has no operation is always made; what has one is written down, each once."""
    named = {addition.operation: addition for addition in additions if addition.operation}
    fresh = [addition for addition in additions if not addition.operation]
    if not named:
        return fresh
    query = f"SELECT operation FROM {keyvalue.OPERATIONS_TABLE} WHERE operation IN {_marks(named)}"  # noqa: S608
    made = {operation.decode() for (operation,) in await session.fetch(query, list(named))}
    new = sorted(named.keys() - made)
    if new:
        values = ", ".join(["(%s, %s)"] * len(new))
        await session.execute(
            f"INSERT INTO {keyvalue.OPERATIONS_TABLE} (operation, made_s) VALUES {values}",  # noqa: S608
            [value for operation in new for value in (operation, now_s)],
        )
    return fresh + [named[operation] for operation in new]


async def _upsert(session: Session, table: str, items: Sequence[tuple[str, int | str]], update: str) -> None:
    values = ", ".join(["(%s, %s)"] * len(items))
    statement = f"INSERT INTO {table} (k, v) VALUES {values} ON DUPLICATE KEY UPDATE {update}"  # noqa: S608
    await session.execute(statement, [part for item in items for part in item])


def _marks(values: Iterable[object]) -> str:
    return f"({', '.join('%s' for _ in values)})"
