"""Stairs over planted curves: what a service of that capacity would answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from loadgen.model import knee
from loadgen.model.knee import Outcome, Stair

Curve = Callable[[float], Outcome]


def climbed(curve: Curve) -> list[Stair]:
    stairs: list[Stair] = []
    while (share := knee.next_share(stairs)) is not None:
        outcome = curve(share)
        stairs.append(Stair(share, outcome, () if outcome == "meets" else (f"{outcome} at {share:g}",)))
    return stairs


def capacity(at: float) -> Curve:
    return lambda share: "meets" if share <= at else "misses"


@pytest.mark.parametrize("true", [0.1, 0.3, 0.75, 0.8, 1.0, 1.37, 2.0, 3.3])
def test_the_knee_is_found_within_its_precision_and_never_above_the_truth(true: float) -> None:
    stairs = climbed(capacity(true))
    found = knee.found(stairs)
    assert found.share is not None
    assert true / knee.PRECISE <= found.share <= true
    assert found.limited_by == "objectives"
    assert found.reasons == (f"misses at {min(stair.share for stair in stairs if stair.outcome == 'misses'):g}",)
    assert len(stairs) <= knee.STAIRS_MAX


def test_a_service_that_never_meets_its_objectives_has_no_knee() -> None:
    found = knee.found(climbed(capacity(0.0)))
    assert (found.share, found.limited_by) == (None, "objectives")


def test_a_service_that_always_meets_them_is_limited_by_nothing_that_was_measured() -> None:
    stairs = climbed(lambda _: "meets")
    assert (knee.found(stairs).share, knee.found(stairs).limited_by) == (stairs[-1].share, "nothing")
    assert len(stairs) == knee.STAIRS_MAX


def test_where_the_generator_ends_is_told_apart_from_where_the_service_does() -> None:
    found = knee.found(climbed(lambda share: "meets" if share < 2 else "invalid"))
    assert found.share is not None
    assert 2 / knee.PRECISE <= found.share < 2
    assert (found.limited_by, found.reasons[0].partition(" ")[0]) == ("generator", "invalid")


def test_one_invalid_measurement_is_repeated_and_forgotten() -> None:
    accidents = iter(["invalid"])
    stairs = climbed(lambda share: next(accidents, "meets" if share <= 1.5 else "misses") if share > 1 else "meets")
    shares = [stair.share for stair in stairs if stair.outcome == "invalid"]
    assert len(shares) == 1
    assert [stair.outcome for stair in stairs if stair.share == shares[0]] == ["invalid", "meets"]
    found = knee.found(stairs)
    assert found.share is not None
    assert 1.5 / knee.PRECISE <= found.share <= 1.5


def test_a_lucky_stair_above_one_that_failed_does_not_count() -> None:
    stairs = [Stair(0.75, "meets"), Stair(1.0, "misses", ("slow",)), Stair(1.3, "meets")]
    assert knee.found(stairs).share == 0.75
