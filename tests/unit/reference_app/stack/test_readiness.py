"""Waiting for answers, and giving up early on who keeps dying."""

from __future__ import annotations

import asyncio

import pytest

from reference_app.contract.topology import SMALL, Component, components
from reference_app.stack import errors, readiness
from reference_app.stack.questions import Answer

PAIR = components(SMALL, 21000)[:2]


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("reference_app.stack.readiness.time.monotonic", lambda: self.now)
        monkeypatch.setattr("reference_app.stack.readiness.asyncio.sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def answering(clock: Clock, from_second: dict[str, float]) -> readiness.Ask:
    async def ask(component: Component) -> Answer:
        ok = clock.now >= from_second[component.name]
        return Answer(ok=ok, accepted=ok, seconds=0, detail="" if ok else "connection refused")

    return ask


def wait(ask: readiness.Ask, exited: set[str], timeout_s: float) -> None:
    asyncio.run(readiness.wait(PAIR, ask, lambda: exited, timeout_s=timeout_s))


def test_it_returns_as_soon_as_the_last_one_answers(clock: Clock) -> None:
    wait(answering(clock, {PAIR[0].name: 0, PAIR[1].name: 3}), set(), 10)
    assert clock.now == pytest.approx(3, abs=0.1)


def test_at_the_limit_only_those_that_do_not_answer_are_named(clock: Clock) -> None:
    with pytest.raises(errors.NotReadyError) as caught:
        wait(answering(clock, {PAIR[0].name: 0, PAIR[1].name: 99}), set(), 10)
    assert caught.value.waiting == [errors.NotReady(PAIR[1].name, "connection refused")]
    assert clock.now == pytest.approx(10, abs=0.1)


def test_a_process_that_keeps_exiting_ends_the_wait_early(clock: Clock) -> None:
    with pytest.raises(errors.NotReadyError, match="keeps exiting"):
        wait(answering(clock, {PAIR[0].name: 0, PAIR[1].name: 99}), {PAIR[1].name}, 10)
    assert clock.now < 3
