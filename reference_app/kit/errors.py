"""Errors of the app.

AppError            what a client is told: code, message, status
CallError           a call to another component did not succeed
├── NeverSent       it was surely not executed (refused, breaker open, no connection): safe to try elsewhere
│                   (a database without its identity counts: it must not be used; so does a nack)
├── OutcomeUnknown  it was sent and no answer came: it may or may not have been executed
└── Rejected        it was answered with an error
    └── Duplicate   a unique key exists already
"""

from __future__ import annotations

from reference_app.contract import api


class AppError(Exception):
    """`code` is one of contract.api.ERROR_CODES; `retry_after` in seconds becomes the header; a `nack` was refused before any work was done."""

    def __init__(self, code: str, message: str, *, retry_after: float | None = None, nack: bool = False) -> None:
        super().__init__(message)
        self.code, self.message, self.retry_after, self.nack = code, message, retry_after, nack
        self.status = api.ERROR_CODES[code]


class CallError(Exception):
    """`peer` is the component that was called, `outcome` the metric label."""

    def __init__(self, peer: str, outcome: str, detail: str = "") -> None:
        super().__init__(f"{peer}: {outcome}{f' ({detail})' if detail else ''}")
        self.peer, self.outcome, self.detail = peer, outcome, detail


class NeverSent(CallError):  # noqa: N818 - reads as the fact it states
    pass


class OutcomeUnknown(CallError):  # noqa: N818
    pass


class Rejected(CallError):  # noqa: N818
    pass


class Duplicate(Rejected):
    pass


def answer_to(error: CallError, *, writing: bool) -> AppError:
    """What to tell a client of a failed call: a write whose outcome is unknown is `indeterminate`, everything else `unavailable`."""
    if writing and isinstance(error, OutcomeUnknown):
        return AppError("indeterminate", f"{error.peer} did not answer: it may or may not have been done", retry_after=1)
    return AppError("unavailable", f"{error.peer} did not answer", retry_after=1)
