from __future__ import annotations

from collections.abc import Callable

import pytest

from dashboards.console.draw import units


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (units.rate, 0.0, "0/s"),
        (units.rate, 3.44, "3.4/s"),
        (units.rate, 1420.4, "1,420/s"),
        (units.seconds, 0.00042, "0.42 ms"),
        (units.seconds, 0.0123, "12.3 ms"),
        (units.seconds, 0.9999, "1.0 s"),
        (units.seconds, 1.31, "1.3 s"),
        (units.count, 1204.0, "1,204"),
        (units.share, 0.0, "0 %"),
        (units.share, 0.00001, "0.1 %"),
        (units.share, 0.42, "42 %"),
        (units.share, 0.99999, "99.9 %"),
        (units.share, 1.0, "100 %"),
        (units.size, 80_700_000_000.0, "80.7 GB"),
        (units.lasting, 48.4, "48 s"),
        (units.lasting, 185, "3 min 05 s"),
        (units.lasting, 7800, "2 h 10 min"),
        (units.clock, 1795229100.0, "02:45:00"),
    ],
)
def test_a_number_is_written_with_its_unit(write: Callable[[float], str], value: float, text: str) -> None:
    assert write(value) == text


@pytest.mark.parametrize("write", [units.rate, units.seconds, units.count, units.share, units.size])
def test_what_is_not_known_is_a_dash_and_never_zero(write: Callable[[float | None], str]) -> None:
    assert write(None) == units.NONE
