"""Shares of few: Wilson's 95 % interval, which stays between 0 and 1 where so few were counted that others do not."""

from __future__ import annotations

import math

_Z = 1.959964


def wilson(count: int, of: int) -> tuple[float, float]:
    """Lowest and highest share that `count` of `of` leaves likely; all of them when nothing was counted."""
    if not of:
        return 0.0, 1.0
    p, z = count / of, _Z
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    reach = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return max(0.0, middle - reach), min(1.0, middle + reach)
