"""What every fault offers, whichever family it belongs to."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from chaos.faults.families import AnyFault

FAULTS: tuple[type, ...] = get_args(AnyFault)
OFFERED = ("event", "engine", "kind", "components", "available", "check", "apply", "undo", "in_effect", "measured")


def lacks(fault: type) -> list[str]:
    """Names that a fault has to have and has not."""
    without = [name for name in OFFERED if not hasattr(fault, name)]
    return [*without, *(["sham"] if "sham" not in {field.name for field in msgspec.structs.fields(fault)} else [])]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_every_fault_can_be_applied_as_a_sham_and_says_whether_it_is_possible_here(fault: type) -> None:
    assert lacks(fault) == []


def test_a_planted_fault_without_them_is_found() -> None:
    class Planted(msgspec.Struct, frozen=True):
        component: str

    assert lacks(Planted) == [*OFFERED, "sham"]


def test_each_fault_has_a_tag_of_its_own_by_which_its_record_is_read() -> None:
    tags = [str(fault.__struct_config__.tag) for fault in FAULTS]  # type: ignore[attr-defined]
    assert len(set(tags)) == len(tags)
