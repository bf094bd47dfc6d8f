"""One connection, many calls under way, on a real Redis that is paused and killed."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis.exceptions

from reference_app.contract.topology import Kind
from reference_app.kit import errors
from reference_app.kit.breaker import Breaker
from reference_app.kit.cache import Cache, Script
from reference_app.kit.pipelining import Pipelined

TIMEOUT = 1.0
"""Seconds. Long enough that a busy machine's pause does not make an answer overdue, or a connection late."""
Work = Callable[[Pipelined], Awaitable[Any]]


@pytest.fixture
def server(start: Callable[[Kind], Any]) -> Any:
    return start("redis")


@pytest.fixture
def run(server: Any) -> Callable[[Work], Any]:
    async def connected(work: Work) -> Any:
        pipelined = Pipelined(server.port, connect_timeout=TIMEOUT, timeout=TIMEOUT)
        try:
            return await work(pipelined)
        finally:
            pipelined.close()

    return lambda work: asyncio.run(connected(work))


async def within(seconds: float, answer: Awaitable[Any]) -> Any:
    async with asyncio.timeout(seconds):
        return await answer


def test_calls_are_answered_in_the_order_in_which_they_were_sent(run: Any) -> None:
    async def work(pipelined: Pipelined) -> list[int]:
        return await asyncio.gather(*(pipelined.call("INCR", "n") for _ in range(500)))

    assert run(work) == list(range(1, 501))


def test_an_error_answer_is_raised_by_its_own_call_only(run: Any) -> None:
    async def work(pipelined: Pipelined) -> list[Any]:
        calls = (pipelined.call("SET", "a", "x"), pipelined.call("INCR", "a"), pipelined.call("GET", "a"))
        return await asyncio.gather(*calls, return_exceptions=True)

    first, refused, last = run(work)
    assert (first, last) == (b"OK", b"x")
    assert isinstance(refused, redis.exceptions.ResponseError)


def test_a_caller_with_little_time_gives_up_alone(run: Any, server: Any) -> None:
    """Its answer, which comes later, goes to nobody else."""

    async def work(pipelined: Pipelined) -> tuple[Any, int]:
        await pipelined.call("SET", "n", "41")
        server.signal(signal.SIGSTOP)
        hasty = asyncio.ensure_future(within(TIMEOUT / 10, pipelined.call("GET", "n")))
        patient = asyncio.ensure_future(pipelined.call("INCR", "n"))
        (given_up,) = await asyncio.gather(hasty, return_exceptions=True)
        server.signal(signal.SIGCONT)
        return given_up, await patient

    given_up, answer = run(work)
    assert isinstance(given_up, TimeoutError)
    assert answer == 42


def test_an_overdue_answer_ends_the_connection_and_the_next_call_has_another(run: Any, server: Any) -> None:
    async def work(pipelined: Pipelined) -> tuple[Any, Any, bytes]:
        await pipelined.call("PING")
        server.signal(signal.SIGSTOP)
        overdue = asyncio.ensure_future(within(TIMEOUT, pipelined.call("PING")))
        later = asyncio.ensure_future(pipelined.call("PING"))
        failed = await asyncio.gather(overdue, later, return_exceptions=True)
        server.signal(signal.SIGCONT)
        return *failed, await pipelined.call("PING")

    overdue, later, after = run(work)
    assert (type(overdue), type(later), after) == (TimeoutError, redis.exceptions.ConnectionError, b"PONG")


def test_a_server_that_dies_fails_what_is_under_way_and_is_refused_then(run: Any, server: Any) -> None:
    async def work(pipelined: Pipelined) -> list[Any]:
        await pipelined.call("PING")
        server.signal(signal.SIGSTOP)
        waiting = asyncio.ensure_future(pipelined.call("PING"))
        await asyncio.sleep(0)
        server.signal(signal.SIGKILL)
        lost = await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.to_thread(server.process.wait)
        return [*lost, *await asyncio.gather(pipelined.call("PING"), return_exceptions=True)]

    lost, refused = run(work)
    assert isinstance(lost, redis.exceptions.ConnectionError)
    assert isinstance(refused.__cause__, ConnectionRefusedError)


def test_a_script_is_sent_once_per_life_of_a_server_and_fails_with_the_outcomes_of_the_kit(server: Any) -> None:
    script = Script("return redis.call('INCR', KEYS[1])", "n")

    async def work() -> tuple[list[int], str]:
        cache = Cache(server.component, breaker=Breaker())
        try:
            answers = [await cache.script("incr", script, []) for _ in range(2)]
            await cache.run("SCRIPT", lambda client: client.script_flush())
            answers.append(await cache.script("incr", script, []))
            server.signal(signal.SIGSTOP)
            began = time.monotonic()
            with pytest.raises(errors.OutcomeUnknown) as raised:
                await cache.script("incr", script, [])
            assert time.monotonic() - began < 1
            return answers, raised.value.outcome
        finally:
            server.signal(signal.SIGCONT)
            await cache.close()

    assert asyncio.run(work()) == ([1, 2, 3], "timeout")
