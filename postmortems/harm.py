"""Harm to users, counted from the history of their requests. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from loadgen.history import Operation


@dataclass(frozen=True)
class Harm:
    """A request harms when it fails, stays without an answer, or brings a page from which something was dropped.

    `user_seconds` counts pairs of a user and a second in which at least one harming request of that user was due: a lower
    bound, because a user who sends nothing in a second is not asked.
    """

    requests: int
    failed: int
    partial: int
    users: int
    users_harmed: int
    user_seconds: int


def of(operations: Iterable[Operation]) -> Harm:
    """The harm that these requests saw."""
    asked = list(operations)
    harmed = [o for o in asked if failed(o) or o.partial]
    return Harm(
        requests=len(asked),
        failed=sum(failed(o) for o in asked),
        partial=sum(o.partial and not failed(o) for o in asked),
        users=len({o.user for o in asked}),
        users_harmed=len({o.user for o in harmed}),
        user_seconds=len({(o.user, math.floor(o.due)) for o in harmed}),
    )


def failed(operation: Operation) -> bool:
    """True unless it was answered as wanted."""
    return operation.type != "ok"
