"""So many at once, so many in line, the next is refused."""

from __future__ import annotations

import asyncio

import pytest

from reference_app.kit import deadline, errors
from reference_app.kit.concurrency import ConcurrencyLimit


def limit(running: int, waiting: int) -> ConcurrencyLimit:
    return ConcurrencyLimit(running=lambda: running, waiting=waiting)


def test_beyond_the_limit_and_the_line_there_is_a_nack_at_once() -> None:
    async def crowd() -> None:
        made = limit(2, 1)
        assert made.enter()
        assert made.enter()
        assert not made.enter()
        in_line = asyncio.create_task(made.wait())
        await asyncio.sleep(0)
        assert made.waiting == 1
        with pytest.raises(errors.AppError) as refused:
            await made.wait()
        assert (refused.value.status, refused.value.code, refused.value.nack, refused.value.retry_after) == (503, "overloaded", True, 1)
        made.leave()
        await in_line
        assert not made.enter(), "the place went to the line"

    asyncio.run(crowd())


def test_the_line_is_served_in_order() -> None:
    async def crowd() -> list[int]:
        made, served = limit(1, 10), list[int]()

        async def work(number: int) -> None:
            if not made.enter():
                await made.wait()
            served.append(number)
            await asyncio.sleep(0)
            made.leave()

        await asyncio.gather(*(work(number) for number in range(8)))
        return served

    assert asyncio.run(crowd()) == list(range(8))


def test_who_waits_past_the_deadline_is_let_go_and_takes_no_place() -> None:
    async def late() -> None:
        made = limit(1, 5)
        assert made.enter()
        deadline.start(0.01)
        with pytest.raises(errors.AppError, match="line") as raised:
            await made.wait()
        assert raised.value.code == "deadline_exceeded"
        assert made.waiting == 0
        made.leave()
        assert made.enter()

    asyncio.run(late())


def test_who_gives_up_just_when_his_turn_comes_gives_it_on() -> None:
    async def race() -> None:
        made = limit(1, 5)
        assert made.enter()
        first, second = asyncio.create_task(made.wait()), asyncio.create_task(made.wait())
        await asyncio.sleep(0)
        made.leave()
        first.cancel()
        await asyncio.wait_for(second, 1)
        with pytest.raises(asyncio.CancelledError):
            await first
        assert not made.enter()
        made.leave()
        assert made.enter()

    asyncio.run(race())


def test_a_lower_limit_holds_for_those_who_come_next() -> None:
    async def shrink() -> None:
        size = [3]
        made = ConcurrencyLimit(running=lambda: size[0], waiting=1)
        for _ in range(3):
            assert made.enter()
        size[0] = 1
        in_line = asyncio.create_task(made.wait())
        await asyncio.sleep(0)
        made.leave()
        made.leave()
        await asyncio.sleep(0)
        assert not in_line.done(), "one is still under way"
        made.leave()
        await in_line

    asyncio.run(shrink())
