"""A sum over the last seconds."""

from __future__ import annotations

import random

import pytest

from reference_app.kit.windowed import SLICES, WindowedSum


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_what_was_added_counts_for_the_window_and_not_longer() -> None:
    clock = Clock()
    window = WindowedSum(10, monotonic=clock)
    window.add(3)
    clock.now += 8.9
    assert window.total() == 3
    clock.now += 1.2
    assert window.total() == 0


@pytest.mark.parametrize("seed", range(4))
def test_it_is_never_further_from_the_exact_sum_than_what_came_in_one_slice(seed: int) -> None:
    clock, rng = Clock(), random.Random(seed)
    window, added = WindowedSum(5, monotonic=clock), list[tuple[float, float]]()
    for _ in range(300):
        clock.now += rng.expovariate(10)
        amount = rng.choice([1.0, 1.0, -5.0])
        window.add(amount)
        added.append((clock.now, amount))
        young = sum(a for at, a in added if clock.now - at < 5 - 5 / SLICES)
        edge = sum(abs(a) for at, a in added if 5 - 5 / SLICES <= clock.now - at <= 5)
        assert abs(window.total() - young) <= edge + 1e-9


def test_after_a_long_silence_nothing_is_left() -> None:
    clock = Clock()
    window = WindowedSum(1, monotonic=clock)
    window.add(1)
    clock.now += 1e6
    assert window.total() == 0
