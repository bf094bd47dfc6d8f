from __future__ import annotations

from dataclasses import replace

import pytest

from failwhale.bench import cold_caches, goodput
from failwhale.bench.goodput import Course
from failwhale.bench.open_loop import Answer
from reference_app.kit.ring import Ring


def answer(due_s: float, latency_s: float = 0.1, *, good: bool = True) -> Answer:
    return Answer(due_s, latency_s, 200 if good else 503, good)


def course(*cold: float) -> Course:
    series = (0.0, 1.0, *cold, 1.0)
    return Course(series, 2, 2 + len(cold), hit_rate_before=0.998, hit_rate_cold=0.84, good_cold=9, offered_cold=10)


def test_only_what_is_complete_and_in_time_counts_as_good_in_the_second_it_was_due() -> None:
    answers = [answer(0.1), answer(0.9, good=False), answer(1.0, 0.5), answer(1.9, 0.51), answer(3.2)]
    assert goodput.by_second(answers, within_s=0.5, seconds=4) == (0.5, 0.5, 1.0, 1.0)


def test_a_collapse_is_a_row_of_seconds_below_half_while_the_caches_are_cold() -> None:
    assert course(*[0.49] * 20).collapsed_s == 20
    assert course(*[0.1] * 10, 0.5, *[0.1] * 15).collapsed_s == 15, "a second at half ends the row"
    assert course(*[0.9] * 20).collapsed_s == 0


COLLAPSED, HELD = course(*[0.2] * 25), course(*[0.97] * 25)


def test_a_collapse_without_and_none_with_protections_at_the_incidents_hit_rates_lacks_nothing() -> None:
    assert goodput.lacking(COLLAPSED, HELD) == []


@pytest.mark.parametrize(
    ("off", "on", "reason"),
    [
        (course(*[0.2] * 19, 0.6), HELD, "below half for 19 s"),
        (replace(COLLAPSED, hit_rate_cold=0.7), HELD, "70.0% and not about 84 %"),
        (COLLAPSED, replace(HELD, hit_rate_before=0.97), "97.0% to begin with"),
        (replace(COLLAPSED, goodput=(0.0, 0.9, *[0.2] * 25, 1.0)), HELD, "without the protections was 90.0% before"),
        (COLLAPSED, replace(HELD, goodput=(0.0, 0.9, *[0.97] * 25, 1.0)), "with the protections was 90.0% before"),
    ],
)
def test_what_a_comparison_lacks_is_told(off: Course, on: Course, reason: str) -> None:
    (told,) = goodput.lacking(off, on)
    assert reason in told


def test_an_interval_of_a_share_lies_within_its_bounds_and_narrows_with_the_number() -> None:
    few, many = goodput.share(95, 100), goodput.share(9500, 10_000)
    assert few.low < many.low < 0.95 < many.high < few.high <= 1
    assert goodput.share(100, 100).low == pytest.approx(0.963, abs=0.001)


def test_the_simulated_pool_takes_its_share_of_the_batches_that_independent_misses_make() -> None:
    """100 pages of 20 tweets on two shards at 84 %: 165 batches a second, of which a pool for 0.3 takes 50, as one slot of 20 ms does."""
    sized = {rate: goodput.slots(rate, 0.84, share_of_offered=0.3, shards=2, page=20, hold_s=0.02) for rate in (100, 400, 1)}
    assert sized == {100: 1, 400: 4, 1: 1}


def test_the_cache_that_joins_is_the_one_whose_part_of_the_reads_is_nearest() -> None:
    names = [f"tweet-cache-{n}" for n in range(6)]
    held = Ring(names).by_node(range(10_000))
    reads = {key: 2 if name == names[3] else 1 for name, keys in held.items() for key in keys}
    parts = {name: sum(reads[key] for key in keys) / sum(reads.values()) for name, keys in held.items()}
    assert cold_caches.nearest_share(reads, names, 0.9) == (names[3], parts[names[3]])
    name, part = cold_caches.nearest_share(reads, names, 0.14)
    assert part == parts[name]
    assert all(abs(part - 0.14) <= abs(other - 0.14) for other in parts.values())
