from __future__ import annotations

import random

import pytest

from reference_app.contract.profile import LAB
from reference_app.kit.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock, changes: list[bool] | None = None) -> Breaker:
    breaker = Breaker(monotonic=clock, rng=random.Random(1), on_change=(changes if changes is not None else []).append)
    for _ in range(LAB.breaker_failures):
        assert breaker.allow()
        breaker.failure()
    return breaker


def test_it_opens_after_failures_in_a_row_and_tells() -> None:
    changes: list[bool] = []
    breaker = opened(Clock(), changes)
    assert breaker.is_open
    assert not breaker.allow()
    assert changes == [True]


def test_a_success_in_between_starts_the_count_anew() -> None:
    breaker = Breaker(monotonic=Clock())
    for _ in range(100):
        breaker.success()
    for outcome in (breaker.failure, breaker.failure, breaker.success, *[breaker.failure] * (LAB.breaker_failures - 1)):
        outcome()
    assert not breaker.is_open


def test_after_the_dead_time_one_probe_goes_through_and_its_success_closes() -> None:
    clock, changes = Clock(), []
    breaker = opened(clock, changes)
    clock.now = LAB.breaker_open_min
    assert breaker.allow()
    assert not breaker.allow(), "one probe at a time"
    breaker.success()
    assert not breaker.is_open
    assert changes == [True, False]


def test_a_late_success_of_a_call_of_before_the_opening_does_not_close() -> None:
    clock, changes = Clock(), []
    breaker = opened(clock, changes)
    breaker.success()
    assert not breaker.allow()
    assert changes == [True]


def test_a_success_after_the_dead_time_closes_although_nobody_asked_for_a_probe() -> None:
    """A group of one is always called."""
    clock = Clock()
    breaker = opened(clock)
    clock.now = LAB.breaker_open_min
    breaker.success()
    assert not breaker.is_open


def test_a_failed_probe_keeps_it_open_for_longer_and_never_beyond_the_maximum() -> None:
    clock = Clock()
    breaker, waits = opened(clock), []
    for _ in range(8):
        began = clock.now
        while not breaker.allow():
            clock.now += 0.01
        waits.append(clock.now - began)
        breaker.failure()
    assert LAB.breaker_open_min / 2 <= waits[0] <= LAB.breaker_open_min
    assert LAB.breaker_open_max / 2 <= waits[-1] <= LAB.breaker_open_max + 0.01


def test_an_abandoned_probe_makes_room_for_the_next() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = LAB.breaker_open_min
    assert breaker.allow()
    breaker.abandon()
    assert breaker.allow()


def mixed(breaker: Breaker, clock: Clock, *, calls: int, failing: int, every_s: float = 0.01) -> bool:
    """Of ten calls `failing` fail, never five in a row; whether it opened."""
    for number in range(calls):
        clock.now += every_s
        breaker.failure() if number * failing % 10 < failing else breaker.success()
        if breaker.is_open:
            return True
    return False


@pytest.mark.parametrize(("failing", "opens"), [(1, False), (3, True), (5, True)])
def test_it_opens_when_fewer_than_80_percent_succeed_though_never_five_fail_in_a_row(failing: int, *, opens: bool) -> None:
    clock = Clock()
    breaker = Breaker(monotonic=clock)
    for _ in range(10):
        breaker.success()
    assert mixed(breaker, clock, calls=500, failing=failing) == opens


def test_fewer_than_five_calls_are_no_share() -> None:
    breaker = Breaker(monotonic=Clock())
    for _ in range(LAB.breaker_calls_min - 1):
        breaker.failure()
    assert not breaker.is_open


def test_failures_of_before_the_window_do_not_count() -> None:
    clock = Clock()
    breaker = Breaker(monotonic=clock)
    for _ in range(20):
        clock.now += LAB.breaker_window
        breaker.failure()
        breaker.success()
    assert not breaker.is_open


def test_a_probe_that_succeeds_closes_it_for_good_whatever_the_share_was() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now = LAB.breaker_open_min
    assert breaker.allow()
    breaker.success()
    breaker.failure()
    assert not breaker.is_open


def test_switched_off_it_neither_opens_nor_refuses() -> None:
    on, clock = [True], Clock()
    breaker = Breaker(monotonic=clock, enabled=lambda: on[0])
    for _ in range(LAB.breaker_failures):
        breaker.failure()
    assert not breaker.allow()
    on[0] = False
    assert all(breaker.allow() for _ in range(3))
    breaker.success()
    for _ in range(100):
        breaker.failure()
    assert breaker.allow()
    assert not breaker.is_open
