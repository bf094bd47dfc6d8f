"""What a measured call tells: (peer, operation, outcome, seconds). Clients take an Observe; instrumentation supplies it."""

from __future__ import annotations

from collections.abc import Callable

Observe = Callable[[str, str, str, float], None]


def unobserved(_peer: str, _operation: str, _outcome: str, _seconds: float) -> None:
    """Measure nothing."""
