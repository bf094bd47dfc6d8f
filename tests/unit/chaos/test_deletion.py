"""The undo of a deletion finds it wherever it is by then, and one that took too long is over before it is looked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chaos.faults import data
from chaos.faults.data import DeleteWithoutWhere
from reference_app.contract.topology import SMALL, Component, Lab, components
from reference_app.kit import files, roles
from reference_app.kit.home import Home
from reference_app.stack import binlog, gtid, mariadb, promotion, restoring
from reference_app.stack.binlog import Transaction

PRIMARY, REPLICA = "tweets-db-0-primary", "tweets-db-0-replica"
FAULT = DeleteWithoutWhere(PRIMARY, since="0-1-5")
POST = Transaction(gtid.parse("0-1-6"), "0-1-5", 0.0, ["INSERT INTO tweets VALUES (1)"])
CULPRIT = Transaction(gtid.parse("0-1-7"), "0-1-6", 0.0, ["DELETE FROM failwhale.tweets"])


@pytest.fixture
def lab(home: Home) -> Lab:
    laid_out = Lab(str(home.path), "small", 29_900, components(SMALL, 29_900), "key", "password")
    files.write_json(home.lab_file, laid_out)
    return laid_out


@pytest.mark.parametrize(
    ("primary", "logged", "done"),
    [
        (PRIMARY, {PRIMARY: [POST, CULPRIT], REPLICA: [POST, CULPRIT]}, "restore without 0-1-7"),
        (REPLICA, {PRIMARY: [POST, CULPRIT], REPLICA: [POST, CULPRIT]}, "restore without 0-1-7"),
        (REPLICA, {PRIMARY: [POST, CULPRIT], REPLICA: [POST]}, "finish tweets-db-0"),
    ],
    ids=["nobody was promoted", "the replica was promoted", "a restore was interrupted behind its decision"],
)
@pytest.mark.usefixtures("lab")
def test_a_deletion_is_taken_back_whoever_is_the_primary_by_then(
    home: Home, monkeypatch: pytest.MonkeyPatch, primary: str, logged: dict[str, list[Transaction]], done: str
) -> None:
    did: list[str] = []
    roles.assign(home.roles_file, "tweets-db-0", primary)
    monkeypatch.setattr(binlog, "read", lambda _home, server: iter(logged[server.name]))
    monkeypatch.setattr(restoring, "without", lambda _home, _shard, transaction: transaction)
    monkeypatch.setattr(restoring, "restore", lambda _home, course, **_: did.append(f"restore without {course}"))
    monkeypatch.setattr(restoring, "finish", lambda _home, shard, **_: did.append(f"finish {shard}"))
    monkeypatch.setattr(promotion, "promote", lambda _home, name, **_: did.append(f"promote {name}"))
    FAULT.undo(home)
    assert did == [done, f"promote {PRIMARY}"]


class Slow:
    """A server that is not done with a deletion before somebody kills it, and is rid of it only when it was asked twice."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.left = iter([1, 0])

    async def connect(self, _port: int, **_options: object) -> Slow:
        return self

    @asynccontextmanager
    async def connected(self, _component: Component) -> AsyncIterator[Slow]:
        yield self

    @asynccontextmanager
    async def cursor(self) -> AsyncIterator[Slow]:
        yield self

    def thread_id(self) -> int:
        return 77

    def close(self) -> None:
        self.told.append("close")

    async def execute(self, statement: str) -> None:
        self.told.append(statement)
        if statement.startswith("DELETE"):
            await asyncio.Event().wait()

    async def value(self, expression: str) -> Any:
        assert expression.endswith("id = 77")
        left = next(self.left)
        self.told.append(f"{left} left")
        return left


def test_a_deletion_that_takes_too_long_is_killed_and_gone_before_anybody_looks_for_it(
    home: Home, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lab.component(PRIMARY).role == "primary"
    server = Slow()
    monkeypatch.setattr(data, "DELETE_SECONDS", 0.01)
    monkeypatch.setattr(data.sql, "connect", server.connect)
    monkeypatch.setattr(mariadb, "connected", server.connected)
    with pytest.raises(TimeoutError):
        FAULT.apply(home)
    assert server.told == ["DELETE FROM failwhale.tweets", "KILL 77", "1 left", "0 left", "close"]
