"""A deletion that takes too long, on a real server: whoever gives it up leaves nothing behind that goes on without him."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from chaos.faults import data
from reference_app.contract import storage
from reference_app.contract.topology import Component, Kind
from reference_app.kit import sql

DELETE = "DELETE FROM failwhale.tweets"
UNDER_WAY = f"SELECT COUNT(*) FROM information_schema.processlist WHERE info = '{DELETE}'"  # noqa: S608 - constants


async def given_up(component: Component) -> int:
    """How many deletions are under way just after one was given up that waits for a lock."""
    async with await sql.connect(component.port, user=storage.DATABASE_USER) as holder, holder.cursor() as cursor:
        await cursor.execute("LOCK TABLES failwhale.tweets WRITE")
        with pytest.raises(TimeoutError):
            await data._execute(component, DELETE)
        await cursor.execute(UNDER_WAY)
        ((left,),) = await cursor.fetchall()
        return int(left)


def test_a_deletion_that_took_too_long_is_not_finished_by_the_server_alone(
    start: Callable[[Kind], Any], execute: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, rows = start("mariadb"), "INSERT INTO failwhale.tweets VALUES (1), (2)"
    execute(server.port, "CREATE DATABASE failwhale", "CREATE TABLE failwhale.tweets (id INT PRIMARY KEY)", rows, "SELECT 1")
    monkeypatch.setattr(data, "DELETE_SECONDS", 0.3)
    assert asyncio.run(given_up(server.component)) == 0
    assert [tuple(row) for row in execute(server.port, "SELECT COUNT(*) FROM failwhale.tweets")] == [(2,)]
