from __future__ import annotations

from collections import Counter

import pytest

from loadgen.model import arrivals, population
from loadgen.model.population import Population

SIZE, EXPONENT, DRAWS = 500, 1.3, 40_000


@pytest.fixture(scope="module")
def drawn() -> Counter[int]:
    people = Population(range(1, SIZE + 1), exponent=EXPONENT, ranking=arrivals.stream(1, "ranks"))
    rng = arrivals.stream(1, "draws")
    return Counter(people.pick(rng) for _ in range(DRAWS))


def test_only_seeded_users_act(drawn):
    assert set(drawn) <= set(range(1, SIZE + 1))


def test_the_most_active_users_have_the_shares_that_zipf_gives_them(drawn):
    harmonic = sum(rank**-EXPONENT for rank in range(1, SIZE + 1))
    for rank, (_, count) in enumerate(drawn.most_common(3), 1):
        share = rank**-EXPONENT / harmonic
        error = (share * (1 - share) / DRAWS) ** 0.5
        assert count / DRAWS == pytest.approx(share, abs=5 * error)


def test_rank_is_not_the_id_and_follows_from_the_seed():
    first, again, other = (
        Population(range(1, SIZE + 1), exponent=EXPONENT, ranking=arrivals.stream(seed, "ranks")).users for seed in (1, 1, 2)
    )
    assert first == again != other
    assert first != sorted(first)


def test_a_single_user_does_everything():
    people = Population([1], exponent=EXPONENT, ranking=arrivals.stream(1, "ranks"))
    assert people.pick(arrivals.stream(1, "draws")) == 1


def test_the_active_users_are_a_share_that_follows_from_the_seed():
    first, again, other = (population.active(SIZE, share=0.3, rng=arrivals.stream(seed, "active")) for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first)) == 0.3 * SIZE
    assert set(first) <= set(range(1, SIZE + 1))


def test_all_are_active_when_the_share_is_one_and_somebody_always_is():
    assert population.active(5, share=1.0, rng=arrivals.stream(1, "active")) == [1, 2, 3, 4, 5]
    assert len(population.active(2, share=0.01, rng=arrivals.stream(1, "active"))) == 1
