"""What an answer brings about: users try a failed post again, and now and then send an acknowledged one twice."""

from __future__ import annotations

import random
from dataclasses import replace

from loadgen.model.mix import Request
from loadgen.model.outcomes import Outcome

MAX_ATTEMPTS = 5
BACKOFF_FIRST_S, BACKOFF_MAX_S = 0.25, 4.0


def next_request(request: Request, outcome: Outcome, *, at: float) -> Request | None:
    """The request that follows from this answer at load second `at`, not numbered yet; None when nothing follows."""
    if request.op != "post" or request.replay:
        return None
    if outcome.type == "ok":
        return _replay(request, at)
    if outcome.retryable and request.attempt < MAX_ATTEMPTS:
        pause = max(outcome.retry_after, backoff(request.key, request.attempt))
        return replace(request, n=0, due=at + pause, attempt=request.attempt + 1)
    return None


def backoff(key: str, attempt: int) -> float:
    """Seconds before the next attempt: doubled each time, with a jitter of its upper half that the key decides."""
    longest = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** (attempt - 1))
    return longest * random.Random(f"{key}:{attempt}").uniform(0.5, 1.0)


def _replay(request: Request, at: float) -> Request | None:
    if request.replay_after is None:
        return None
    return replace(request, n=0, due=at + request.replay_after, attempt=1, replay=True, replay_after=None)


def numbered(request: Request, n: int) -> Request:
    """The request with the number under which it enters the history."""
    return replace(request, n=n)
