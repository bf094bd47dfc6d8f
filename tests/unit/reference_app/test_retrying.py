"""Which failures are tried again, how often, and under which policy."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from pathlib import Path

import pytest

from reference_app.contract.profile import LAB
from reference_app.kit import deadline, deciders, errors
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import Home
from reference_app.kit.retry_budget import RetryBudget
from reference_app.kit.retrying import POLICIES, Retries, failure_of

REFUSED, NACK, LOST = errors.NeverSent("x", "refused"), errors.NeverSent("x", "nack"), errors.OutcomeUnknown("x", "lost")
TIMEOUT, FAILED, WRONG = errors.OutcomeUnknown("x", "timeout"), errors.Rejected("x", "5xx"), errors.Rejected("x", "error")
OPEN, FULL = errors.NeverSent("x", "breaker_open"), errors.NeverSent("x", "pool_exhausted")


class Called:
    """Retries of a callee that fails for the first `failures` attempts."""

    def __init__(self, folder: Path, policy: str) -> None:
        home = Home(folder)
        deciders.write(home, "retries", POLICIES.index(policy), by="test")  # type: ignore[arg-type]
        self.budget, self.counted, self.pauses = RetryBudget(), list[tuple[str, str]](), list[float]()
        self.attempts = 0
        self.retries = Retries(
            Deciders(home.deciders_file),
            self.budget,
            count=lambda policy, outcome: self.counted.append((policy, outcome)),
            rng=random.Random(1),
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def run(self, error: errors.CallError, *, failures: int = 9, reading: bool = True, limit: float = 1) -> str:
        return asyncio.run(self._run(error, failures, reading, limit))

    async def _run(self, error: errors.CallError, failures: int, reading: bool, limit: float) -> str:  # noqa: FBT001
        async def attempt(left: float) -> str:
            assert left <= limit
            self.attempts += 1
            if self.attempts <= failures:
                raise error
            return "done"

        return await self.retries.run(attempt, repeatable=reading, limit=limit)


def attempts(folder: Path, policy: str, error: errors.CallError, *, reading: bool) -> int:
    called = Called(folder, policy)
    with pytest.raises(errors.CallError):
        called.run(error, reading=reading)
    return called.attempts


@pytest.mark.parametrize(
    ("policy", "reading", "repeated"),
    [
        ("off", True, ()),
        ("budgeted", True, (REFUSED, NACK, LOST)),
        ("budgeted", False, (REFUSED, NACK)),
        ("naive", True, (REFUSED, NACK, LOST, TIMEOUT, FAILED)),
        ("naive", False, (REFUSED, NACK)),
    ],
)
def test_what_is_tried_again(tmp_path: Path, policy: str, *, reading: bool, repeated: tuple[errors.CallError, ...]) -> None:
    for error in (REFUSED, NACK, LOST, TIMEOUT, FAILED, WRONG, OPEN, FULL):
        assert (attempts(tmp_path, policy, error, reading=reading) > 1) == (error in repeated), error


def test_a_write_of_unknown_outcome_is_final_under_every_policy() -> None:
    assert {failure_of(error, repeatable=False) for error in (LOST, TIMEOUT, FAILED)} == {"final"}


def test_there_are_three_attempts_with_growing_jittered_pauses(tmp_path: Path) -> None:
    called = Called(tmp_path, "budgeted")
    with pytest.raises(errors.NeverSent):
        called.run(REFUSED)
    assert called.attempts == LAB.retry_attempts == 3
    assert 0.005 <= called.pauses[0] <= 0.01 <= called.pauses[1] <= 0.02
    assert called.counted == [("budgeted", "failed"), ("budgeted", "failed")]


def test_a_retry_that_succeeds_is_the_result_and_a_deposit(tmp_path: Path) -> None:
    called = Called(tmp_path, "budgeted")
    before = called.budget.balance
    assert called.run(REFUSED, failures=1) == "done"
    assert called.counted == [("budgeted", "ok")]
    assert called.budget.balance == pytest.approx(before - 1 + 0.2)


def test_an_empty_budget_ends_it_and_naive_does_not_ask(tmp_path: Path) -> None:
    for policy, made in (("budgeted", 1), ("naive", 3)):
        called = Called(tmp_path, policy)
        while called.budget.withdraw():
            pass
        with pytest.raises(errors.NeverSent):
            called.run(REFUSED)
        assert called.attempts == made
        assert ((policy, "over_budget") in called.counted) == (policy == "budgeted")


def test_nothing_is_tried_again_when_no_time_is_left(tmp_path: Path) -> None:
    called = Called(tmp_path, "naive")
    with pytest.raises(errors.NeverSent):
        called.run(REFUSED, limit=0.001)
    assert called.attempts == 1
    assert called.counted == [("naive", "no_time")]


def test_nothing_is_tried_again_past_the_callers_deadline(tmp_path: Path) -> None:
    called = Called(tmp_path, "naive")

    async def late() -> None:
        deadline.start(0.001)
        await called._run(REFUSED, 9, reading=True, limit=1)

    with pytest.raises(errors.NeverSent):
        asyncio.run(late())
    assert called.attempts == 1


def amplification(folder: Path, policy: str, *, sailing: int, requests: int) -> float:
    """Attempts at the last of two layers, each with retries, per request while all of them fail; before that, `sailing` successes."""
    layers = [Called(folder, policy), Called(folder, policy)]
    reached = 0

    async def last(_left: float) -> str:
        nonlocal reached
        reached += 1
        raise REFUSED

    async def middle(_left: float) -> str:
        return await _answered(layers[1].retries.run(last, repeatable=True, limit=1))

    for layer in layers:
        for _ in range(sailing):
            layer.retries.succeeded()

    async def storm() -> None:
        for _ in range(requests):
            with pytest.raises(errors.CallError):
                await layers[0].retries.run(middle, repeatable=True, limit=1)

    asyncio.run(storm())
    return reached / requests


async def _answered(call: Awaitable[str]) -> str:
    """What a service answers when something behind it failed."""
    try:
        return await call
    except errors.CallError:
        raise FAILED from None


def test_two_layers_of_three_attempts_are_nine_when_naive_and_a_fifth_more_than_one_within_the_budget(tmp_path: Path) -> None:
    assert amplification(tmp_path, "naive", sailing=500, requests=50) == 9
    assert 1.1 < amplification(tmp_path, "budgeted", sailing=500, requests=500) <= 1.22
