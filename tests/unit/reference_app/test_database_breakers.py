"""A pool without its database: reads and writes have a breaker each, and what is waited for counts."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import Any

import pytest

from reference_app.contract.profile import LAB
from reference_app.kit import errors, sql
from reference_app.kit.breaker import Breaker
from reference_app.kit.sql import Database, Identity, Session


def nobody() -> int:
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _nothing(_session: Session) -> None:
    return


def test_writes_that_fail_do_not_close_a_database_for_readers() -> None:
    reads, writes = Breaker(), Breaker()
    database = Database("db", nobody(), identity=Identity("db", "key"), reads=reads, writes=writes)

    async def outcome(*, write: bool) -> str:
        with pytest.raises(errors.NeverSent) as raised:
            await (database.write("w", _nothing) if write else database.read("r", _nothing))
        return raised.value.outcome

    async def use() -> None:
        for _ in range(LAB.breaker_failures):
            assert await outcome(write=True) == "refused"
        assert await outcome(write=True) == "breaker_open"
        assert await outcome(write=False) == "refused"
        assert (reads.is_open, writes.is_open) == (False, True)

    asyncio.run(use())


@pytest.mark.parametrize(
    ("error", "opens"),
    [
        (errors.NeverSent("db", "refused"), True),
        (errors.OutcomeUnknown("db", "timeout"), True),
        (errors.OutcomeUnknown("events-0", "timeout"), False),
        (errors.NeverSent("db", "pool_exhausted"), False),
        (errors.NeverSent("db", "read_only"), False),
    ],
)
def test_only_what_says_something_about_the_database_opens_its_breaker(error: errors.CallError, *, opens: bool) -> None:
    breaker = Breaker()
    for _ in range(LAB.breaker_failures):
        sql._judge(error, breaker, "db")
    assert breaker.is_open == opens


class Slow(Database):
    """Takes its time to connect; whoever works on the connection is told how long that may take."""

    allowed = 0.0

    async def _connection(self) -> object:
        await asyncio.sleep(CONNECTING)
        return None

    async def _execute(self, connection: object, work: object, limit: float) -> Any:  # noqa: ARG002
        self.allowed = limit


CONNECTING = 0.02


def test_what_was_spent_on_connecting_is_no_time_to_work() -> None:
    database = Slow("db", 1, identity=Identity("db", "key"), reads=Breaker(), writes=Breaker())
    asyncio.run(database.read("r", _nothing, limit=0.1))
    assert database.allowed <= 0.1 - CONNECTING


def test_work_for_which_no_time_is_left_is_not_begun() -> None:
    database = Database("db", 1, identity=Identity("db", "key"), reads=Breaker(), writes=Breaker())
    begun: list[Session] = []

    async def work(session: Session) -> None:
        begun.append(session)

    with pytest.raises(errors.NeverSent, match="connecting took"):
        asyncio.run(database._execute(None, work, 0.0))
    assert begun == []


def test_who_waits_for_a_connection_in_vain_has_sent_nothing_and_takes_no_slot_along() -> None:
    patient = replace(LAB, connect_timeout=5, sql_timeout=5)
    database = Slow("db", 1, identity=Identity("db", "key"), size=1, profile=patient, reads=Breaker(), writes=Breaker())

    async def crowd() -> list[Any]:
        waiting = (database.read("r", _nothing, limit=limit) for limit in (5, 0.001, 5))
        return await asyncio.gather(*waiting, return_exceptions=True)

    first, second, third = asyncio.run(crowd())
    assert (first, third) == (None, None)
    assert isinstance(second, errors.NeverSent)
    assert second.outcome == "pool_exhausted"
