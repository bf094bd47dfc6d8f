"""Which instance is called."""

from __future__ import annotations

import random

import pytest

from reference_app.contract.profile import LAB
from reference_app.kit.balancer import Balancer, Instance
from reference_app.kit.breaker import Breaker


def balancer(count: int, *, dead: int = 0) -> Balancer[str]:
    """`dead` of the instances have an open breaker."""
    instances = [Instance(f"i{n}", Breaker(monotonic=lambda: 0.0)) for n in range(count)]
    for instance in instances[:dead]:
        for _ in range(LAB.breaker_failures):
            instance.breaker.failure()
    return Balancer(instances, rng=random.Random(1))


def picked(balancer: Balancer[str]) -> set[str]:
    return {balancer.pick().client for _ in range(100)}


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_every_instance_gets_calls(count: int) -> None:
    assert len(picked(balancer(count))) == count


def test_of_two_the_one_with_fewer_calls_under_way_is_called() -> None:
    made = balancer(2)
    made.instances[1].under_way = 3
    assert picked(made) == {"i0"}


def test_load_is_spread_when_calls_last() -> None:
    made = balancer(4)
    for _ in range(400):
        made.pick().under_way += 1
    assert max(i.under_way for i in made.instances) - min(i.under_way for i in made.instances) <= 4


@pytest.mark.parametrize(("count", "dead"), [(2, 1), (3, 1), (4, 2)])
def test_an_open_breaker_is_avoided(count: int, dead: int) -> None:
    assert picked(balancer(count, dead=dead)) == {f"i{n}" for n in range(dead, count)}


@pytest.mark.parametrize(("count", "dead"), [(1, 1), (2, 2), (3, 2)])
def test_with_more_than_half_out_breakers_are_not_believed(count: int, dead: int) -> None:
    assert len(picked(balancer(count, dead=dead))) == count


def test_another_one_is_tried_where_there_is_another() -> None:
    two, one, healthy_alone = balancer(2), balancer(1), balancer(2, dead=1)
    assert {two.pick(but=two.instances[0]).client for _ in range(20)} == {"i1"}
    assert one.pick(but=one.instances[0]).client == "i0"
    assert healthy_alone.pick(but=healthy_alone.instances[1]).client == "i1"


def test_an_instance_whose_time_is_over_gets_one_probe() -> None:
    now = [0.0]
    instances = [Instance(f"i{n}", Breaker(monotonic=lambda: now[0])) for n in range(2)]
    for _ in range(LAB.breaker_failures):
        instances[0].breaker.failure()
    now[0] = LAB.breaker_open_min
    made = Balancer(instances, rng=random.Random(1))
    assert [made.pick().client for _ in range(50)].count("i0") == 1
