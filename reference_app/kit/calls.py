"""What a measured call tells: (peer, operation, outcome, seconds, span). Clients take an Observe; instrumentation supplies it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from reference_app.kit import errors, tracing

T = TypeVar("T")
Observe = Callable[[str, str, str, float, tracing.Span | None], None]
"""`span` is None in what is not sampled."""


def unobserved(_peer: str, _operation: str, _outcome: str, _seconds: float, _span: tracing.Span | None) -> None:
    """Measure nothing."""


async def measured(observe: Observe, peer: str, operation: str, work: Awaitable[T], span: tracing.Span | None) -> T:
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
        observe(peer, operation, outcome, time.perf_counter() - started, span)
