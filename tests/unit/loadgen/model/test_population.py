from __future__ import annotations

from collections import Counter

import pytest

from loadgen.model import arrivals
from loadgen.model.population import Population

SIZE, EXPONENT, DRAWS = 500, 1.3, 40_000


@pytest.fixture(scope="module")
def drawn() -> Counter[int]:
    population = Population(SIZE, exponent=EXPONENT, ranking=arrivals.stream(1, "ranks"))
    rng = arrivals.stream(1, "draws")
    return Counter(population.pick(rng) for _ in range(DRAWS))


def test_only_seeded_users_act(drawn):
    assert set(drawn) <= set(range(1, SIZE + 1))


def test_the_most_active_users_have_the_shares_that_zipf_gives_them(drawn):
    harmonic = sum(rank**-EXPONENT for rank in range(1, SIZE + 1))
    for rank, (_, count) in enumerate(drawn.most_common(3), 1):
        share = rank**-EXPONENT / harmonic
        error = (share * (1 - share) / DRAWS) ** 0.5
        assert count / DRAWS == pytest.approx(share, abs=5 * error)


def test_rank_is_not_the_id_and_follows_from_the_seed():
    first, again, other = (Population(SIZE, exponent=EXPONENT, ranking=arrivals.stream(seed, "ranks")).users for seed in (1, 1, 2))
    assert first == again != other
    assert first != sorted(first)


def test_a_single_user_does_everything():
    population = Population(1, exponent=EXPONENT, ranking=arrivals.stream(1, "ranks"))
    assert population.pick(arrivals.stream(1, "draws")) == 1
