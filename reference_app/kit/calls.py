"""What a measured call tells: (peer, operation, outcome, seconds, what else). Clients take an observer; instrumentation supplies it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from reference_app.kit import errors, tracing

T = TypeVar("T")
What = TypeVar("What")
Observe = Callable[[str, str, str, float, tracing.Span | None], None]
"""Of calls that hand their trace on; the span is None in a loop that works for nobody in particular."""
ObserveStore = Callable[[str, str, str, float, str], None]
"""Of calls to a MariaDB or Redis; the last value is the system (`mariadb`, `redis`)."""


def unobserved(_peer: str, _operation: str, _outcome: str, _seconds: float, _what: object) -> None:
    """Measure nothing."""


async def measured(observe: Callable[[str, str, str, float, What], None], peer: str, operation: str, work: Awaitable[T], what: What) -> T:
    """Await the work and tell how it went: ok, the outcome of its CallError, or abandoned when the caller gave up."""
    started, outcome = time.perf_counter(), "abandoned"
    try:
        result = await work
        outcome = "ok"
    except errors.CallError as error:
        outcome = error.outcome
        raise
    else:
        return result
    finally:
        observe(peer, operation, outcome, time.perf_counter() - started, what)
