"""The history of a load: one line before a request is sent, one when it is answered, so that a kill loses neither.

The audit reads it to learn what was promised; the report reads it to learn how long that took.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from reference_app.kit import files

FILE = "load/history.ndjson"
"""Below the run directory."""

Op = Literal["home", "user_timeline", "post", "follow", "unfollow"]
Result = Literal["ok", "refused", "indeterminate", "error"]
"""For posts: acknowledged, surely not stored, may or may not be stored. Reads are ok or error."""
Reaction = Literal["", "retry", "refresh", "back"]
"""Why a client asked again: no good answer, a page that was slow, or it went back to its home page. Empty for what was planned, and for replays."""


@dataclass(frozen=True)
class Invoke:
    """A request that is about to be sent. `due` is its intended start in load seconds, `at` is Unix seconds.

    `intent` is the number of the planned request that it serves, itself or one before it; after `timeout_s` the client gives it up.
    """

    n: int
    op: Op
    user: int
    due: float
    at: float
    key: str = ""
    text: str = ""
    target: int = 0
    attempt: int = 1
    replay: bool = False
    intent: int = 0
    reaction: Reaction = ""
    timeout_s: float = 5.0
    type: Literal["invoke"] = "invoke"


@dataclass(frozen=True)
class Completion:
    """Its answer, or the end of waiting for one. `response_ms` runs from the intended start, `service_ms` from the sending.

    `trace_id` is the one under which the app worked for it, empty when there was no answer to say so.
    """

    n: int
    type: Result
    status: int
    at: float
    response_ms: float
    service_ms: float
    lag_ms: float
    tweet_id: str = ""
    partial: bool = False
    tweets: int = 0
    error: str = ""
    trace_id: str = ""


@dataclass(frozen=True)
class Operation:
    """Both lines of one request. Without a completion it is `indeterminate` and `completed_at` and the times are None."""

    n: int
    op: Op
    user: int
    target: int
    due: float
    invoked_at: float
    key: str
    text: str
    attempt: int
    replay: bool
    type: Result
    status: int
    completed_at: float | None
    response_ms: float | None
    service_ms: float | None
    lag_ms: float | None
    tweet_id: str
    partial: bool
    tweets: int
    error: str
    intent: int = 0
    reaction: Reaction = ""
    timeout_s: float = 5.0
    trace_id: str = ""

    @property
    def scheduled(self) -> bool:
        """True for an arrival of the plan, False for a reaction or a replay, which answers bring about."""
        return self.attempt == 1 and not self.replay

    @property
    def acknowledged(self) -> bool:
        """True for the answer that promised a tweet; the answer to its replay promises nothing new."""
        return self.op == "post" and self.type == "ok" and not self.replay

    @property
    def censored(self) -> bool:
        """True when it was given up, or has no end: the latency is at least as long as the wait. Not where the connection broke."""
        return self.completed_at is None or self.error == "timeout"


def join(invoke: Invoke, completion: Completion | None) -> Operation:
    """One operation out of its two lines."""
    sent = {
        field: getattr(invoke, field) for field in ("n", "op", "user", "target", "due", "key", "text", "attempt", "replay", *_OF_CLIENTS)
    }
    return Operation(**sent, invoked_at=invoke.at, **(_UNANSWERED if completion is None else _answered(completion)))


_OF_CLIENTS = ("intent", "reaction", "timeout_s")
_UNANSWERED: dict[str, Any] = {
    "type": "indeterminate", "status": 0, "completed_at": None, "response_ms": None, "service_ms": None, "lag_ms": None,
    "tweet_id": "", "partial": False, "tweets": 0, "error": "no answer recorded", "trace_id": "",
}  # fmt: skip


def _answered(completion: Completion) -> dict[str, Any]:
    return {field: getattr(completion, field) for field in _UNANSWERED if field != "completed_at"} | {"completed_at": completion.at}


def read(path: Path) -> list[Operation]:
    """All operations in the order of their sending. A torn last line is left out; a missing file has no operations."""
    invokes: dict[int, Invoke] = {}
    completions: dict[int, Completion] = {}
    for line in parse(files.read_lines(path)):
        if isinstance(line, Invoke):
            invokes[line.n] = line
        else:
            completions[line.n] = line
    return [join(invoke, completions.get(n)) for n, invoke in invokes.items()]


def parse(lines: Iterable[dict[str, Any]]) -> Iterator[Invoke | Completion]:
    """Typed lines; msgspec.ValidationError names the field of a line that is neither kind."""
    for line in lines:
        if line.get("type") == "invoke":
            yield msgspec.convert(line, Invoke)
        else:
            yield msgspec.convert(line, Completion)
