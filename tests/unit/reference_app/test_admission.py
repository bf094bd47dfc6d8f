"""A client that is refused drops calls itself."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from reference_app.contract.profile import LAB
from reference_app.kit.admission import NackAdmission


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def served(
    admission: NackAdmission, clock: Clock, *, seconds: float, rate: float, nack: Callable[[int], bool] = lambda _n: True
) -> tuple[int, int]:
    """Calls made and dropped."""
    made = dropped = 0
    for n in range(int(seconds * rate)):
        clock.now += 1 / rate
        if admission.drops():
            dropped += 1
        else:
            made += 1
            admission.answered(nack=nack(n))
    return made, dropped


def fresh(clock: Clock, *, enabled: bool = True) -> NackAdmission:
    return NackAdmission(monotonic=clock, rng=random.Random(1), enabled=lambda: enabled)


def test_without_a_nack_nothing_is_dropped_and_the_average_is_1() -> None:
    clock = Clock()
    admission = fresh(clock)
    assert served(admission, clock, seconds=60, rate=100, nack=lambda _n: False) == (6000, 0)
    assert admission.accepted == 1


def test_a_callee_that_refuses_everything_is_soon_asked_a_quarter() -> None:
    clock = Clock()
    admission = fresh(clock)
    served(admission, clock, seconds=5 * LAB.admission_window, rate=100)
    made, dropped = served(admission, clock, seconds=10, rate=100)
    assert made / (made + dropped) == pytest.approx(0.25, abs=0.05)


def test_below_the_threshold_the_share_dropped_is_1_minus_twice_the_accepted() -> None:
    clock = Clock()
    admission = fresh(clock)
    served(admission, clock, seconds=100, rate=200, nack=lambda n: n % 10 >= 4)
    assert admission.accepted == pytest.approx(0.4, abs=0.05)
    made, dropped = served(admission, clock, seconds=20, rate=200, nack=lambda n: n % 10 >= 4)
    assert dropped / (made + dropped) == pytest.approx(0.2, abs=0.1)


def test_a_callee_that_refuses_less_than_half_gets_every_call() -> None:
    clock = Clock()
    assert served(fresh(clock), clock, seconds=60, rate=100, nack=lambda n: n % 3 == 0)[1] == 0


def test_a_client_of_few_calls_is_left_alone() -> None:
    clock = Clock()
    assert served(fresh(clock), clock, seconds=100, rate=4)[1] == 0


def test_when_the_nacks_end_it_recovers_and_forgets() -> None:
    clock = Clock()
    admission = fresh(clock)
    served(admission, clock, seconds=100, rate=100)
    served(admission, clock, seconds=12 * LAB.admission_window, rate=100, nack=lambda _n: False)
    assert admission.accepted == 1
    assert not any(admission.drops() for _ in range(100))


def test_switched_off_it_drops_nothing() -> None:
    clock = Clock()
    assert served(fresh(clock, enabled=False), clock, seconds=100, rate=100)[1] == 0
