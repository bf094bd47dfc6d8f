"""A soak that leaks, or whose queue grows, is found: planted, because the real ones do not."""

from __future__ import annotations

import pytest

from tests.experiments import soaking
from tests.experiments.soaking import Look


def looks(*, memory: tuple[float, float], queue: tuple[float, float]) -> list[Look]:
    """Sixty looks between two values."""
    (leanest, fattest), (shortest, longest) = memory, queue
    shares = [n / 59 for n in range(60)]
    return [Look({"tweets-0": leanest + (fattest - leanest) * n}, {"outbox": shortest + (longest - shortest) * n}, {}) for n in shares]


@pytest.mark.parametrize(("last", "found"), [(60.0, []), (62.0, []), (70.0, ["tweets-0: 61.6 -> 68.4 MiB"])])
def test_memory_that_grows_by_more_than_a_twentieth_is_a_leak(last: float, found: list[str]) -> None:
    grown = soaking.memory_growth(looks(memory=(60.0, last), queue=(0, 0)))
    assert soaking.leaks(grown, {}) == found


def test_data_that_is_kept_by_design_is_none() -> None:
    grown = soaking.memory_growth(looks(memory=(60.0, 70.0), queue=(0, 0)))
    assert soaking.leaks(grown, {"tweets-0": 5.0}) == []


@pytest.mark.parametrize(("last", "found"), [(3.0, []), (120.0, ["outbox: 0.0 -> 81.4"])])
def test_a_queue_that_is_longer_at_the_end_is_told(last: float, found: list[str]) -> None:
    assert soaking.longer(soaking.queue_growth(looks(memory=(60, 60), queue=(0.0, last))), most=10) == found


def test_a_spike_is_no_growth() -> None:
    seen = looks(memory=(60, 60), queue=(0, 0))
    seen[-2] = Look({"tweets-0": 90.0}, {"outbox": 500.0}, {})
    assert soaking.leaks(soaking.memory_growth(seen), {}) == soaking.longer(soaking.queue_growth(seen), most=10) == []


def test_files_that_a_burst_leaves_open_are_few_and_those_of_a_leak_are_many() -> None:
    def seen(last: float) -> list[Look]:
        return [Look({}, {}, {"tweets-0": 40 + (last - 40) * n / 59}) for n in range(60)]

    assert soaking.longer(soaking.files_growth(seen(80)), most=soaking.FILES_MAX) == []
    assert soaking.longer(soaking.files_growth(seen(400)), most=soaking.FILES_MAX) == ["tweets-0: 40.0 -> 284.1"]
