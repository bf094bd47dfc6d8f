"""What the audit compares (posts of the history with the observed state) and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Finding = Literal[
    "lost", "duplicated", "duplicated_transient", "missing_from_timelines", "non_unique_ids", "stale", "resurrected", "doubled_deliveries"
]
VIOLATIONS: tuple[Finding, ...] = ("lost", "duplicated", "missing_from_timelines", "non_unique_ids", "resurrected", "doubled_deliveries")
"""Findings that break a promise. A transient duplicate was tombstoned in time, and a stale page was late: they are reported and break none."""
EXAMPLES_MAX = 20
"""Examples kept per finding; the count is always of all."""


class PostKey(NamedTuple):
    """Idempotency keys are unique per author."""

    user_id: int
    key: str


class Edge(NamedTuple):
    """The follower reads the followee's tweets."""

    follower_id: int
    followee_id: int


@dataclass(frozen=True)
class Post:
    """All attempts of one key, replays included. `ids` are those it was acknowledged with: one, unless something went wrong."""

    key: PostKey
    acknowledged: bool = False
    indeterminate: bool = False
    ids: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Activity:
    """What the history says that clients did. `since` is Unix seconds of its first operation.

    `unstable_edges` changed, or may have changed, during the run.
    """

    since: float
    posts: Mapping[PostKey, Post]
    unstable_edges: frozenset[Edge] = frozenset()


@dataclass(frozen=True)
class Row:
    """A row of `tweets`, found on shard number `shard`."""

    tweet_id: int
    user_id: int
    key: str
    deleted: bool
    duplicate_of: int | None
    shard: int

    @property
    def post_key(self) -> PostKey:
        return PostKey(self.user_id, self.key)


@dataclass(frozen=True)
class ObservedShard:
    """`complete` is False when its rows could not be read or must not be trusted; `detail` says why, or why the replica was asked."""

    shard: int
    source: Literal["primary", "replica"]
    rows: tuple[Row, ...]
    complete: bool
    detail: str = ""
    outbox_unpublished: int | None = None


@dataclass(frozen=True)
class ObservedTimeline:
    """A home timeline as it lies in its cache under the current `epoch`.

    `ids` holds those of the run only; `length` counts all distinct ids, `oldest_id` is the last of the newest 800 of them.
    """

    user_id: int
    epoch: int
    state: Literal["ready", "building", "absent"]
    ids: frozenset[int] = frozenset()
    length: int = 0
    oldest_id: int = 0


@dataclass(frozen=True)
class Observed:
    """The state of a lab. `followers` (author -> followers) and `timelines` are None when they could not be read.

    `stream_pending` counts events that fan-out has not finished; `reasons` say what could not be read.
    """

    shards: tuple[ObservedShard, ...]
    followers: Mapping[int, frozenset[int]] | None
    timelines: Mapping[int, ObservedTimeline] | None
    stream_pending: int | None
    reasons: tuple[str, ...] = ()

    @property
    def outbox_unpublished(self) -> int | None:
        """Posts that the relay has not published yet, None when a shard could not say."""
        counts = [shard.outbox_unpublished for shard in self.shards]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None


@dataclass(frozen=True)
class Example:
    """One instance of a finding; enough to look at the rows and lists by hand."""

    finding: Finding
    user_id: int
    key: str
    tweet_ids: tuple[int, ...]
    detail: str


@dataclass(frozen=True)
class Found:
    """What one checker found: how many, and some of them."""

    count: int
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Audit:
    """The `audit` object of a drill. What did not run is None, never 0. `sources` tells which server each shard was read from."""

    complete: bool
    attempted: int
    acknowledged: int
    indeterminate: int
    lost: int | None
    duplicated: int | None
    duplicated_transient: int | None
    missing_from_timelines: int | None
    timelines_checked: int | None
    non_unique_ids: int | None
    stale: int | None = None
    resurrected: int | None = None
    doubled_deliveries: int | None = None
    reasons: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()

    @property
    def violations(self) -> dict[str, int]:
        """The promises that were broken, with how often."""
        counts = {name: getattr(self, name) for name in VIOLATIONS}
        return {name: count for name, count in counts.items() if count}

    @property
    def clean(self) -> bool:
        """Everything was checked and nothing is wrong."""
        return self.complete and not self.violations
