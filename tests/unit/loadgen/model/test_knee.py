"""Stairs over planted curves: what a service of that capacity would answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from loadgen.model import knee
from loadgen.model.knee import Outcome, Stair

Curve = Callable[[float], Outcome]


def climbed(curve: Curve, *, holds: Curve | None = None) -> list[Stair]:
    """`holds` is what the service does over a minute, where that is another thing."""
    stairs: list[Stair] = []
    while (step := knee.next_step(stairs)) is not None:
        outcome = (holds if holds and step.held else curve)(step.share)
        stairs.append(Stair(step.share, outcome, () if outcome == "meets" else (f"{outcome} at {step.share:g}",), held=step.held))
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
    assert [stair.share for stair in stairs if stair.held] == [found.share]


def test_a_service_that_never_meets_its_objectives_has_no_knee() -> None:
    found = knee.found(climbed(capacity(0.0)))
    assert (found.share, found.limited_by) == (None, "objectives")


def test_a_service_that_always_meets_them_is_limited_by_nothing_that_was_measured() -> None:
    stairs = climbed(lambda _: "meets")
    assert (knee.found(stairs).share, knee.found(stairs).limited_by) == (stairs[-1].share, "nothing")
    assert len(stairs) == knee.STAIRS_MAX + 1


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
    assert [stair.outcome for stair in stairs if stair.share == shares[0] and not stair.held] == ["invalid", "meets"]
    found = knee.found(stairs)
    assert found.share is not None
    assert 1.5 / knee.PRECISE <= found.share <= 1.5


def test_a_lucky_stair_above_one_that_failed_does_not_count() -> None:
    stairs = [Stair(0.75, "meets"), Stair(1.0, "misses", ("slow",)), Stair(1.3, "meets")]
    assert knee.next_step(stairs) == knee.Step(0.866)
    assert knee.next_step([*stairs, Stair(0.866, "misses"), Stair(0.8, "misses")]) == knee.Step(0.75, held=True)


@pytest.mark.parametrize("sustained", [0.9, 1.2, 1.5])
def test_what_a_short_stair_flatters_is_given_up_until_it_holds_for_a_minute(sustained: float) -> None:
    stairs = climbed(capacity(2.0), holds=capacity(sustained))
    found = knee.found(stairs)
    held = [stair for stair in stairs if stair.held]
    assert found.share is not None
    assert sustained * knee.GIVE_UP <= found.share <= sustained
    assert [stair.outcome for stair in held] == [*["misses"] * (len(held) - 1), "meets"]
    assert found.reasons == (f"misses at {held[-2].share:g}",)


def test_a_load_of_which_nothing_holds_has_no_knee() -> None:
    stairs = climbed(capacity(2.0), holds=lambda _: "misses")
    assert (knee.found(stairs).share, knee.found(stairs).limited_by) == (None, "objectives")
    assert sum(stair.held for stair in stairs) == knee.HOLDS_MAX


def test_a_minute_that_cannot_be_believed_is_repeated_once() -> None:
    accidents = iter(["invalid"])
    stairs = climbed(capacity(2.0), holds=lambda _: next(accidents, "meets"))
    held = [(stair.share, stair.outcome) for stair in stairs if stair.held]
    assert held == [(held[0][0], "invalid"), (held[0][0], "meets")]
    assert (knee.found(stairs).share, knee.found(stairs).reasons[0].partition(" ")[0]) == (held[0][0], "misses")
