"""What users wanted, and whether they got it: the requests of each planned arrival taken together with those that its answers brought about. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from loadgen.history import Operation


@dataclass(frozen=True)
class Intent:
    """One thing that a user wanted: the planned request first, then its reactions. Replays belong to none: they are the audit's, not a user's."""

    requests: tuple[Operation, ...]

    @property
    def first(self) -> Operation:
        """The planned request."""
        return self.requests[0]

    @property
    def served(self) -> bool:
        """True when any attempt brought what was wanted; a home page to which somebody went back is not what was wanted."""
        return any(request.type == "ok" and request.op == self.first.op for request in self.requests)


@dataclass(frozen=True)
class Intents:
    """`amplification` is the number of requests for each thing that users wanted, 1 where nobody reacted; null when nothing was wanted.

    `reactions` counts the requests beyond the first by why they were made.
    """

    wanted: int = 0
    served: int = 0
    amplification: float | None = None
    reactions: dict[str, int] = field(default_factory=dict)


def grouped(operations: Iterable[Operation]) -> list[Intent]:
    """The intents of these operations, in the order of their first requests. Reactions to requests that are not among them are left out."""
    groups: dict[int, list[Operation]] = defaultdict(list)
    for operation in operations:
        if operation.scheduled:
            groups[operation.n].insert(0, operation)
        elif operation.intent and not operation.replay:
            groups[operation.intent].append(operation)
    return [Intent(tuple(requests)) for requests in groups.values() if requests[0].scheduled]


def summed(intents: Iterable[Intent]) -> Intents:
    """Their figures."""
    intents = list(intents)
    requests, reactions = sum(len(intent.requests) for intent in intents), Counter[str]()
    for intent in intents:
        reactions.update(request.reaction for request in intent.requests[1:])
    return Intents(
        wanted=len(intents),
        served=sum(intent.served for intent in intents),
        amplification=round(requests / len(intents), 3) if intents else None,
        reactions=dict(reactions),
    )
