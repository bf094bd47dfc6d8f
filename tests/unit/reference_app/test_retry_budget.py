"""Retries are paid for by successes (finagle's leaky token bucket)."""

from __future__ import annotations

import dataclasses
import random

import pytest

from reference_app.contract.profile import LAB
from reference_app.kit.retry_budget import RetryBudget

NO_RESERVE = dataclasses.replace(LAB, retry_budget_reserve=0)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def budget(clock: Clock, *, reserve: float = 0, deposits: int = 0) -> RetryBudget:
    made = RetryBudget(profile=dataclasses.replace(LAB, retry_budget_reserve=reserve), monotonic=clock)
    for _ in range(deposits):
        made.deposit()
    return made


def test_five_successes_pay_for_one_retry() -> None:
    made = budget(Clock(), deposits=5)
    assert made.withdraw()
    assert not made.withdraw()


def test_deposits_expire_after_ten_seconds() -> None:
    clock = Clock()
    made = budget(clock, deposits=100)
    clock.now += 8.9
    assert made.balance == 20
    clock.now += 1.2
    assert made.balance == 0
    assert not made.withdraw()


def test_the_reserve_is_there_without_any_success_and_comes_back_when_its_use_has_expired() -> None:
    clock = Clock()
    made = budget(clock, reserve=1)
    assert sum(made.withdraw() for _ in range(50)) == 10, "1 a second for 10 s"
    clock.now += 10.1
    assert made.balance == 10


def test_one_request_may_use_a_fifth_of_the_balance_and_always_one() -> None:
    greedy = budget(Clock(), deposits=50)  # pays for ten
    assert [greedy.withdraw(already) for already in range(4)] == [True, True, False, False]
    assert budget(Clock(), deposits=5).withdraw(0)


@pytest.mark.parametrize("seed", range(4))
def test_in_any_window_there_are_never_more_retries_than_a_fifth_of_the_successes_before_and_the_reserve(seed: int) -> None:
    clock, rng = Clock(), random.Random(seed)
    made, successes, retries = budget(clock, reserve=1), list[float](), list[float]()
    for _ in range(3000):
        clock.now += rng.expovariate(50)
        if rng.random() < (0.9 if int(clock.now / 15) % 2 else 0.1):  # outages of 15 s
            made.deposit()
            successes.append(clock.now)
        elif made.withdraw(rng.randrange(2)):
            retries.append(clock.now)
    for moment in range(1000, int(clock.now)):
        spent = sum(moment <= at < moment + 9 for at in retries)
        earned = sum(moment - 10 <= at < moment + 9 for at in successes)
        assert spent <= 0.2 * earned + 10 + 1e-9


@pytest.mark.parametrize("rate", [20, 50, 200])
def test_an_outage_of_ten_seconds_after_plain_sailing_is_amplified_by_a_fifth_and_the_reserve_at_most(rate: int) -> None:
    clock = Clock()
    made, retries = budget(clock, reserve=LAB.retry_budget_reserve), 0
    for second in range(20):
        for _ in range(rate):
            clock.now += 1 / rate
            if second < 10:
                made.deposit()
            else:
                retries += sum(made.withdraw(already) for already in range(2))
    assert retries / (10 * rate) <= 0.2 + LAB.retry_budget_reserve / rate + 1e-9
