"""A gate that opens when the dependencies answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from reference_app.contract.profile import LAB
from reference_app.kit import errors
from reference_app.kit.warmup import Gate


class Dependencies:
    """`answering` of them answer."""

    def __init__(self, count: int) -> None:
        self.count, self.answering, self.asked = count, 0, 0

    def probes(self) -> list[Callable[[], Awaitable[object]]]:
        return [self._probe(number) for number in range(self.count)]

    def _probe(self, number: int) -> Callable[[], Awaitable[object]]:
        async def probe() -> None:
            self.asked += 1
            if number >= self.answering:
                raise errors.NeverSent("x", "refused")

        return probe


def ready(gate: Gate) -> bool:
    return asyncio.run(gate.ready())


def test_it_is_ready_when_all_answer_and_asks_no_more() -> None:
    behind = Dependencies(3)
    gate = Gate(behind.probes(), monotonic=lambda: 0.0)
    behind.answering = 2
    assert not ready(gate)
    behind.answering = 3
    assert ready(gate)
    behind.answering = 0
    assert ready(gate), "who loses a dependency later stays ready"
    assert behind.asked == 6


@pytest.mark.parametrize(("answering", "open_"), [(98, False), (99, True)])
def test_99_of_100_are_enough(answering: int, *, open_: bool) -> None:
    behind = Dependencies(100)
    behind.answering = answering
    assert ready(Gate(behind.probes(), monotonic=lambda: 0.0)) == open_


def test_a_dead_dependency_delays_it_for_the_profiles_time_only() -> None:
    now = [0.0]
    gate = Gate(Dependencies(1).probes(), monotonic=lambda: now[0])
    now[0] = LAB.warm_up - 0.01
    assert not ready(gate)
    now[0] = LAB.warm_up
    assert ready(gate)


def test_a_dependency_that_hangs_does_not_hold_up_whoever_asks() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    async def ask() -> bool:
        return await asyncio.wait_for(Gate([hang], monotonic=lambda: 0.0).ready(), 0.3)

    assert not asyncio.run(ask()), "the prober waits 0.3 s"


def test_without_dependencies_or_switched_off_it_is_ready() -> None:
    assert ready(Gate([]))
    assert ready(Gate(Dependencies(1).probes(), enabled=lambda: False))
