from __future__ import annotations

import random

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
