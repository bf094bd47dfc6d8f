"""What an answer brings about: an attempt more, a page refreshed, the way back to the home page; and some acknowledged posts are sent twice."""

from __future__ import annotations

import random
from dataclasses import replace

from loadgen.model.clients import Clients
from loadgen.model.mix import Request
from loadgen.model.outcomes import Outcome


def next_request(request: Request, outcome: Outcome, clients: Clients, *, at: float, took_s: float) -> Request | None:
    """The request that follows from an answer at load second `at`, `took_s` after it was due; not numbered yet, None when nothing follows."""
    if request.replay:
        return None
    if request.op == "post":
        return _replay(request, at) if outcome.type == "ok" else _retry(request, outcome, clients, at)
    return _after_a_page(request, outcome, clients, at=at, slow=took_s > clients.slow_s)


def _after_a_page(request: Request, outcome: Outcome, clients: Clients, *, at: float, slow: bool) -> Request | None:
    failed = outcome.type != "ok"
    if request.op == "user_timeline" and (failed or slow) and _draw(request, "back").random() < clients.back_share:
        again = _again(request, clients, at, asked_for=0.0)
        return again and replace(again, op="home", target=0, reaction="back")
    if failed:
        return _retry(request, outcome, clients, at)
    if slow and _draw(request, "refresh").random() < clients.refresh_share:
        again = _again(request, clients, at, asked_for=0.0)
        return again and replace(again, reaction="refresh")
    return None


def _retry(request: Request, outcome: Outcome, clients: Clients, at: float) -> Request | None:
    return _again(request, clients, at, asked_for=outcome.retry_after) if outcome.retryable else None


def _again(request: Request, clients: Clients, at: float, *, asked_for: float) -> Request | None:
    if request.attempt >= clients.attempts(request.op):
        return None
    pause = clients.pause.seconds(request.attempt, _draw(request, "pause"))
    longer = max(pause, asked_for) if clients.obey_retry_after else pause
    return replace(request, n=0, due=at + longer, attempt=request.attempt + 1, reaction="retry")


def _draw(request: Request, what: str) -> random.Random:
    """Decided by what is asked for and how often, so that a run with the same answers has the same reactions."""
    return random.Random(f"{request.key or request.intent}:{request.attempt}:{what}")


def _replay(request: Request, at: float) -> Request | None:
    if request.replay_after is None:
        return None
    return replace(request, n=0, due=at + request.replay_after, attempt=1, reaction="", replay=True, replay_after=None)


def numbered(request: Request, n: int) -> Request:
    """The request with the number under which it enters the history."""
    return replace(request, n=n)
