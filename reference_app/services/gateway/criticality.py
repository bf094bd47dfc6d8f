"""Which requests matter most: each operation has a class, and each class a share of the gateway that it may fill.

What was promised comes first (a post, a deletion), then what people came for (timelines), then what can wait a minute (follows, likes), last
what few would miss (search, trends, suggestions). The order is that of Twitter's own alert thresholds: 99.9 % for a page, 70 % for whom to follow.
"""

from __future__ import annotations

from dataclasses import dataclass

from reference_app.contract import api


@dataclass(frozen=True)
class Criticality:
    """`share` of the concurrency that may be in use when such a request is begun; `voluntary`: may also be shed on purpose."""

    name: str
    share: float
    voluntary: bool = False


PROMISE = Criticality("promise", 1.0)
READING = Criticality("reading", 0.9, voluntary=True)
SOCIAL = Criticality("social", 0.75)
DISCOVERY = Criticality("discovery", 0.5, voluntary=True)
CLASSES = (PROMISE, READING, SOCIAL, DISCOVERY)
_PATHS = {
    api.HOME: READING, api.USER_TWEETS: READING, api.HANDLE: READING,
    api.LIKE: SOCIAL, api.FOLLOWING: SOCIAL, api.BLOCKING: SOCIAL,
    api.SEARCH: DISCOVERY, api.TRENDS: DISCOVERY, api.SUGGESTIONS: DISCOVERY, api.SUGGESTION: DISCOVERY, api.OPENAPI: DISCOVERY, api.WEB: DISCOVERY,
}  # fmt: skip


def of(method: str, path: str) -> Criticality:
    """Of an operation of the public API; one that is not listed is a promise."""
    if path == api.TWEET and method == "GET":
        return READING
    return _PATHS.get(path, PROMISE)
