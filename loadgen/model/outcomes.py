"""What an answer means: the rules by which a post counts as promised, as surely not stored, or as unknown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import msgspec

from loadgen.history import Op, Result

Failure = Literal["", "timeout", "refused", "exhausted", "lost"]
"""Why there is no answer: waited too long, the connection was refused, our own machine had none left (nothing was sent in both), or it broke."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, or `status` 0 and why there is none. `retry_after` is in seconds, `request_id` what the app calls the request."""

    status: int
    failure: Failure = ""
    body: bytes = b""
    retry_after: float = 0.0
    request_id: str = ""


@dataclass(frozen=True)
class Outcome:
    """The answer as the history records it. `retryable` is True when the same request, a post with its key, may be sent again."""

    type: Result
    status: int
    tweet_id: str = ""
    partial: bool = False
    tweets: int = 0
    error: str = ""
    retryable: bool = False
    retry_after: float = 0.0


@dataclass(frozen=True)
class _Page:
    tweets: list[msgspec.Raw]
    partial: bool = False


@dataclass(frozen=True)
class _Posted:
    id: str


@dataclass(frozen=True)
class _Error:
    code: str = ""


@dataclass(frozen=True)
class _Refusal:
    error: _Error = field(default_factory=_Error)


_PAGE, _POSTED, _REFUSAL = msgspec.json.Decoder(_Page), msgspec.json.Decoder(_Posted), msgspec.json.Decoder(_Refusal)


def classify(op: Op, answer: Answer) -> Outcome:
    """The outcome of one request."""
    return _post(answer) if op == "post" else _read(answer)


def _read(answer: Answer) -> Outcome:
    if answer.status != 200:
        again = answer.status in (0, 429) or answer.status >= 500
        return Outcome("error", answer.status, error=_reason(answer), retryable=again, retry_after=answer.retry_after)
    try:
        page = _PAGE.decode(answer.body)
    except msgspec.DecodeError as error:
        return Outcome("error", answer.status, error=f"malformed page: {error}")
    return Outcome("ok", answer.status, partial=page.partial, tweets=len(page.tweets))


def _post(answer: Answer) -> Outcome:
    if answer.status == 201:
        return Outcome("ok", answer.status, tweet_id=_tweet_id(answer.body))
    reason = _reason(answer)
    if _surely_not_stored(answer, reason):
        return Outcome("refused", answer.status, error=reason, retryable=answer.status in (0, 429, 503), retry_after=answer.retry_after)
    return Outcome("indeterminate", answer.status, error=reason, retryable=True, retry_after=answer.retry_after)


def _surely_not_stored(answer: Answer, reason: str) -> bool:
    return (
        answer.failure in ("refused", "exhausted")
        or 400 <= answer.status < 500
        or (answer.status == 503 and reason in ("unavailable", "overloaded"))
    )


def _tweet_id(body: bytes) -> str:
    """Empty when the body is not what the contract says: the status alone is the acknowledgement."""
    try:
        return _POSTED.decode(body).id
    except msgspec.DecodeError:
        return ""


def _reason(answer: Answer) -> str:
    """The error's code, else the status or why there was none."""
    if answer.failure:
        return answer.failure
    try:
        return _REFUSAL.decode(answer.body).error.code or f"status {answer.status}"
    except msgspec.DecodeError:
        return f"status {answer.status}"
