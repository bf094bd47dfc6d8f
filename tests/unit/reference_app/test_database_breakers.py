"""Reads and writes of a database have a breaker each."""

from __future__ import annotations

import asyncio
import socket

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
