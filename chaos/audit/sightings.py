"""Pure checkers over what the witness saw: pages that lack what was acknowledged long ago, deletions that come back, tweets shown twice.

A read that says `partial` is honest about what it lacks, and a post or deletion of unknown outcome promises nothing: neither is blamed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from chaos.audit.checkers import found_of
from chaos.audit.model import Audit, Example, Found

Read = Literal["home", "user_timeline"]

FRESH_WITHIN_S: Mapping[str, float] = {"home": 5.0, "user_timeline": 2.0}
"""Seconds after its acknowledgement by which a complete page shows a tweet: the delivery objective (contract/slo.yaml); and reading one's own
writes within 1 s, plus the second for which the edge may keep a public page."""
GONE_WITHIN_S = 5.0
"""Seconds after its 204 by which a deleted tweet is gone everywhere (docs/consistency.md)."""


@dataclass(frozen=True)
class Sighting:
    """One request of the witness, Unix seconds. `unknown` is an answer that promises nothing. `more`: the page goes on below its last id."""

    op: Literal["post", "delete", "home", "user_timeline"]
    began: float
    ended: float
    outcome: Literal["ok", "unknown"]
    user_id: int
    tweet_id: int = 0
    ids: tuple[int, ...] = ()
    partial: bool = False
    more: bool = False


@dataclass(frozen=True)
class _Life:
    """When a tweet was surely there, and from when on it may be gone or must be."""

    acknowledged_at: float
    may_be_gone_from: float = float("inf")
    gone_at: float = float("inf")


def judged(audit: Audit, seen: Sequence[Sighting]) -> Audit:
    """The audit with what the witness adds; without a single answered read nothing is added."""
    if not any(_answered(sighting) for sighting in seen):
        return audit
    found = stale(seen), resurrected(seen), doubled_deliveries(seen)
    examples = tuple(example for one in found for example in one.examples)
    counts = [one.count for one in found]
    return replace(audit, stale=counts[0], resurrected=counts[1], doubled_deliveries=counts[2], examples=(*audit.examples, *examples))


def stale(seen: Sequence[Sighting]) -> Found:
    """Complete pages that lack a tweet which had to be visible when the read began (set-full's stale elements)."""
    lives = _lives(seen)
    complete = (read for read in seen if _answered(read) and not read.partial)
    lacking = ((read, tuple(_missed(read, lives))) for read in complete)
    return found_of(
        Example("stale", read.user_id, read.op, missed, f"not on a complete page read at {read.began:.3f}")
        for read, missed in lacking
        if missed
    )


def resurrected(seen: Sequence[Sighting]) -> Found:
    """Deleted tweets that a page showed although it was read later than `GONE_WITHIN_S` after the deletion."""
    lives = _lives(seen)
    back: dict[int, Sighting] = {}
    for read in filter(_answered, seen):
        for tweet_id in read.ids:
            if tweet_id in lives and read.began >= lives[tweet_id].gone_at + GONE_WITHIN_S:
                back.setdefault(tweet_id, read)
    return found_of(
        Example(
            "resurrected", read.user_id, read.op, (tweet_id,), f"visible {read.began - lives[tweet_id].gone_at:.1f} s after it was deleted"
        )
        for tweet_id, read in back.items()
    )


def doubled_deliveries(seen: Sequence[Sighting]) -> Found:
    """Pages that show a tweet twice."""
    for_each = ((read, [tweet_id for tweet_id, times in Counter(read.ids).items() if times > 1]) for read in filter(_answered, seen))
    return found_of(
        Example("doubled_deliveries", read.user_id, read.op, tuple(twice), f"twice on one page, read at {read.began:.3f}")
        for read, twice in for_each
        if twice
    )


def _answered(sighting: Sighting) -> bool:
    return sighting.op in FRESH_WITHIN_S and sighting.outcome == "ok"


def _missed(read: Sighting, lives: Mapping[int, _Life]) -> Iterator[int]:
    oldest = min(read.ids, default=0) if read.more else 0
    for tweet_id, life in lives.items():
        due = life.acknowledged_at + FRESH_WITHIN_S[read.op] <= read.began and read.ended < life.may_be_gone_from
        if due and tweet_id >= oldest and tweet_id not in read.ids:
            yield tweet_id


def _lives(seen: Iterable[Sighting]) -> dict[int, _Life]:
    lives: dict[int, _Life] = {}
    for sighting in sorted(seen, key=lambda one: one.ended):
        if sighting.op == "post" and sighting.outcome == "ok":
            lives.setdefault(sighting.tweet_id, _Life(sighting.ended))
        elif sighting.op == "delete" and sighting.tweet_id in lives:
            life = lives[sighting.tweet_id]
            gone_at = min(life.gone_at, sighting.ended) if sighting.outcome == "ok" else life.gone_at
            lives[sighting.tweet_id] = replace(life, may_be_gone_from=min(life.may_be_gone_from, sighting.began), gone_at=gone_at)
    return lives
