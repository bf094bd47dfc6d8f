from __future__ import annotations

import pytest

from reference_app.kit.token_bucket import TokenBucket


class World:
    """A clock, and a rate that can be changed."""

    def __init__(self) -> None:
        self.now, self.rate = 100.0, 10.0
        self.bucket = TokenBucket(lambda: self.rate, monotonic=lambda: self.now)

    def taken(self, tries: int, tokens: int = 1) -> int:
        return sum(self.bucket.take(tokens) == 0 for _ in range(tries))


@pytest.fixture
def world() -> World:
    return World()


def test_a_seconds_worth_may_come_at_once_and_then_only_what_flows_in(world: World) -> None:
    assert world.taken(100) == 10
    world.now += 0.5
    assert world.taken(100) == 5
    world.now += 60
    assert world.taken(100) == 10, "what was not used is not saved up"


def test_it_tells_when_there_is_some_again_and_that_is_true(world: World) -> None:
    world.taken(10)
    wait = world.bucket.take(1)
    assert wait == pytest.approx(0.1)
    world.now += wait
    assert world.bucket.take(1) == 0


def test_what_is_larger_than_a_seconds_worth_is_let_in_and_paid_for_afterwards(world: World) -> None:
    assert world.bucket.take(25) == 0
    assert world.bucket.take(1) == pytest.approx(1.6)
    world.now += 1.4
    assert world.taken(1) == 0
    world.now += 0.2
    assert world.taken(1) == 1


def test_the_rate_may_change_while_it_is_used(world: World) -> None:
    world.taken(10)
    world.rate = 1000
    world.now += 0.1
    assert world.taken(1000) == 100


def test_a_rate_of_nothing_lets_nothing_in(world: World) -> None:
    world.rate = 0
    assert world.bucket.take(1) == 1
    world.now += 1000
    assert world.taken(3) == 0
