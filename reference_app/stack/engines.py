"""Which storage engines the key-value database really has: a server without RocksDB is a lab that works, and that says so."""

from __future__ import annotations

import asyncio

from asyncmy.errors import MySQLError

from reference_app.contract import keyvalue, storage
from reference_app.contract.topology import Component
from reference_app.stack import loading

_TIMEOUT_S = 0.5
_QUESTION = "SELECT engine FROM information_schema.tables WHERE table_schema = %s AND table_name = %s"


def note(component: Component) -> str:
    """What is worth knowing about the engines of a database; empty when they are as wanted, or when it does not answer."""
    if component.group != keyvalue.DATABASE_GROUP:
        return ""
    engine, wanted = asyncio.run(_engine(component)), keyvalue.ENGINES[keyvalue.COUNTS.pattern]
    if engine in ("", wanted):
        return ""
    return f"its write-heavy datasets are kept by {engine}: the server had no {wanted} (mariadb-plugin-rocksdb) when they were made"


async def _engine(component: Component) -> str:
    try:
        async with asyncio.timeout(_TIMEOUT_S), loading.connected(component) as cursor:
            await cursor.execute(_QUESTION, (storage.DATABASE, keyvalue.COUNTS.table))
            rows = await cursor.fetchall()
    except (MySQLError, OSError, TimeoutError):
        return ""
    return str(rows[0][0]) if rows else ""
