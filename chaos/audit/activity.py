"""What a history promises: which posts were acknowledged, and which follow edges were left alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from chaos.audit.model import Activity, Edge, Post, PostKey
from loadgen.history import Operation


def from_history(operations: Iterable[Operation]) -> Activity:
    """Sum operations up by idempotency key. Retries and replays carry their post's key, so they are the same post."""
    attempts: dict[PostKey, list[Operation]] = defaultdict(list)
    edges: set[Edge] = set()
    since: list[float] = []
    for operation in operations:
        since.append(operation.invoked_at)
        if operation.op == "post":
            attempts[PostKey(operation.user, operation.key)].append(operation)
        elif operation.op in ("follow", "unfollow"):
            edges.add(Edge(operation.user, operation.target))
    return Activity(
        since=min(since, default=0.0),
        posts={key: _post(key, of_key) for key, of_key in attempts.items()},
        unstable_edges=frozenset(edges),
    )


def _post(key: PostKey, attempts: list[Operation]) -> Post:
    """Only `ok` promises and only `refused` rules out; whatever else came back, the post may be stored."""
    acknowledged = [attempt for attempt in attempts if attempt.type == "ok"]
    return Post(
        key=key,
        acknowledged=bool(acknowledged),
        indeterminate=any(attempt.type not in ("ok", "refused") for attempt in attempts),
        ids=frozenset(int(attempt.tweet_id) for attempt in acknowledged if attempt.tweet_id),
    )
