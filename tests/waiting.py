"""Waits for what comes true by itself, for so long and no longer."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_S = 0.05


def await_true(condition: Callable[[], object], limit_s: float = 20, what: Callable[[], object] | str = "it did not come true") -> float:
    """Seconds until the condition held; it has to within the limit, or `what` is told."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit_s, f"not within {limit_s:g} s: {what if isinstance(what, str) else what()}"
        time.sleep(POLL_S)
    return time.monotonic() - began
