"""Twins: which of them goes is decided on rows that may change, and on a survivor that may be on one disk only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from reference_app.contract import ids
from reference_app.instrumentation.recorder import Recorder
from reference_app.services.tweets import store
from reference_app.services.tweets.domain import KeyedId
from reference_app.services.tweets.reconciler import Reconciler

FIRST, LATER = ids.first_id_at(1_795_000_000_000), ids.first_id_at(1_795_000_001_000) | 1 << 12
"""On different shards by what their ids say."""


@dataclass
class Database:
    """Answers reads with what it has; a write is done as it is told."""

    has: Any = ()
    tombstones: list[str] = field(default_factory=list)

    async def read(self, _operation: str, _work: object) -> Any:
        return self.has

    async def write(self, operation: str, _work: object) -> int:
        self.tombstones.append(operation)
        return 1


@dataclass
class Shard:
    primary: Database
    durable: Database


class Forgetting:
    async def mark(self, tweet_ids: list[int]) -> None: ...


@pytest.mark.parametrize(("on_both_disks", "tombstones"), [(["a row"], ["tombstone_twin"]), ([], [])])
def test_a_twin_goes_only_when_the_other_is_on_every_disk(on_both_disks: list[str], tombstones: list[str]) -> None:
    shards = [Shard(Database([KeyedId(FIRST, 1, "a")]), Database(on_both_disks)) for _ in range(4)]
    reconciler = Reconciler(shards, Forgetting(), recorder=Recorder())  # type: ignore[arg-type]
    asyncio.run(reconciler._tombstone_twins([KeyedId(LATER, 1, "a")], shards[0]))  # type: ignore[arg-type]
    assert [done for shard in shards for done in shard.primary.tombstones] == tombstones


class Session:
    """A session on one row."""

    def __init__(self, deleted_ms: int | None) -> None:
        self.row, self.executed = (1, None, deleted_ms), 0

    async def fetch(self, _sql: str, _parameters: object = ()) -> list[tuple[Any, ...]]:
        return [self.row]

    async def execute(self, _sql: str, _parameters: object = ()) -> int:
        self.executed += 1
        return 1


@pytest.mark.parametrize(("deleted_ms", "alive", "done"), [(None, True, 1), (9, False, 1), (9, True, 0), (None, False, 0)])
def test_a_twin_that_its_author_deleted_since_that_was_decided_is_left_to_the_next_round(
    deleted_ms: int | None, *, alive: bool, done: int
) -> None:
    session: Any = Session(deleted_ms)
    assert asyncio.run(store.tombstone_twin(session, LATER, FIRST, 10, alive=alive)) == done
    assert bool(session.executed) == bool(done)
