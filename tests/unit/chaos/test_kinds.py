"""Tests that kill runs know every kind of fault there is."""

from __future__ import annotations

from tests.experiments import kinds


def test_every_kind_of_fault_has_a_sample_that_is_killed_in_force() -> None:
    assert set(kinds.RECIPES) == kinds.of_family()
