"""Violations planted in a live lab behind the app's back, one by one, and what the audit says of them."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncmy
import httpx
import pytest
import redis

from chaos.audit import run
from chaos.audit.model import Audit
from loadgen import history
from reference_app.contract import api, ids, storage, tokens
from reference_app.contract.topology import Lab
from reference_app.kit import files, ring
from reference_app.kit.home import Home

pytestmark = [pytest.mark.lab, pytest.mark.breaks]
POSTS = 6
TWIN = "INSERT INTO tweets (id, user_id, idempotency_key, text, diverted) VALUES (%s, %s, %s, 'planted', %s)"


@dataclass(frozen=True)
class World:
    """One author, one follower whose timeline exists, and a recorded run in which the author posted (key -> id)."""

    lab: Lab
    history: Path
    author: int
    follower: int
    posted: dict[str, int]

    def audit(self, *, settle_s: float = 0) -> Audit:
        return run.audit(self.lab, self.history, settle_s=settle_s)

    def sql(self, shard: int, statement: str, *parameters: object) -> None:
        port = self.lab.component(f"tweets-db-{shard}-primary").port
        assert asyncio.run(_execute(port, statement, parameters)) == 1, "the planted statement touched another number of rows"

    def drop_from_list(self, tweet_id: int) -> None:
        caches = self.lab.group("timeline-cache")
        cache = self.lab.component(ring.Ring([c.name for c in caches]).node_of(self.follower))
        with redis.Redis(port=cache.port) as client:
            epoch = int(client.get(storage.TIMELINE_EPOCH_KEY) or 0)
            assert client.lrem(storage.timeline_key(self.follower, epoch), 0, str(tweet_id)) >= 1


async def _execute(port: int, statement: str, parameters: tuple[object, ...]) -> int:
    connection = asyncmy.connect(host="127.0.0.1", port=port, user=storage.DATABASE_USER, database=storage.DATABASE, autocommit=True)
    async with connection as client, client.cursor() as cursor:
        touched: int = await cursor.execute(statement, parameters)
        return touched


@pytest.fixture
def client(lab: Lab) -> Iterator[Callable[[], tuple[int, httpx.Client]]]:
    """Registers somebody new and gives the id and a client with a token."""
    opened: list[httpx.Client] = []

    def register() -> tuple[int, httpx.Client]:
        account = {"handle": f"a{secrets.token_hex(6)}", "password": "correct horse"}
        user = int(httpx.post(f"{lab.entry_url}{api.USERS}", json=account).raise_for_status().json()["id"])
        token = tokens.sign(user, key=lab.signing_key, expires_at=int(time.time()) + 600)
        opened.append(httpx.Client(base_url=lab.entry_url, timeout=10, headers={"authorization": f"Bearer {token}"}))
        return user, opened[-1]

    yield register
    for one in opened:
        one.close()


@pytest.fixture
def world(lab: Lab, client: Callable[[], tuple[int, httpx.Client]], tmp_path: Path) -> Iterator[World]:
    """A clean one; what a test planted in it is removed, for the audits of later tests look at the same minute."""
    author, author_client = client()
    follower, follower_client = client()
    follower_client.put(f"/following/{author}").raise_for_status()
    assert follower_client.get(api.HOME).json()["tweets"] == []
    posted = record_posts(author, author_client, tmp_path / history.FILE)
    made = World(lab, tmp_path / history.FILE, author, follower, posted)
    clean = made.audit(settle_s=10)
    assert clean.clean, clean
    assert (clean.acknowledged, clean.timelines_checked) == (POSTS, POSTS)
    yield made
    for primary in (c for c in lab.group("tweets-db") if c.role == "primary"):
        asyncio.run(_execute(primary.port, "DELETE FROM tweets WHERE user_id = %s", (author,)))


def record_posts(author: int, client: httpx.Client, path: Path) -> dict[str, int]:
    """Post and write the history that the load generator would have written."""
    writer, posted = files.LineWriter(path), {}
    for n in range(POSTS):
        key = secrets.token_hex(8)
        writer.write(history.Invoke(n, "post", author, 0, time.time(), key=key, text=f"tweet {n}"))
        answer = client.post(api.TWEETS, json={"text": f"tweet {n}"}, headers={api.IDEMPOTENCY_KEY: key})
        posted[key] = int(answer.raise_for_status().json()["id"])
        writer.write(history.Completion(n, "ok", answer.status_code, time.time(), 0, 0, 0, tweet_id=str(posted[key])))
    writer.close()
    return posted


def other_shard(tweet_id: int) -> int:
    return 1 - ids.shard_of(tweet_id)


def test_a_deleted_row_is_lost(world: World) -> None:
    key, tweet_id = next(iter(world.posted.items()))
    world.sql(ids.shard_of(tweet_id), "DELETE FROM tweets WHERE id = %s", tweet_id)
    found = world.audit()
    assert found.violations == {"lost": 1}
    assert (found.complete, found.examples[0].key, found.examples[0].tweet_ids) == (True, key, (tweet_id,))


def test_a_dropped_delivery_is_missing_from_the_timeline(world: World) -> None:
    tweet_id = next(iter(world.posted.values()))
    world.drop_from_list(tweet_id)
    found = world.audit()
    assert found.violations == {"missing_from_timelines": 1}
    assert found.timelines_checked == POSTS
    assert str(world.follower) in found.examples[0].detail


def test_a_doubled_key_is_a_duplicate_and_stays_one_when_nobody_reconciles_it(world: World) -> None:
    key, tweet_id = next(iter(world.posted.items()))
    world.sql(other_shard(tweet_id), TWIN, tweet_id + 1, world.author, key, 0)
    # It was never published: readers would see it twice on the author's own page, and no timeline holds it.
    found = world.audit(settle_s=3)
    assert found.violations == {"duplicated": 1, "missing_from_timelines": 1}
    assert found.complete


def test_a_doubled_key_that_the_reconciler_tombstones_is_transient(world: World) -> None:
    key, tweet_id = next(iter(world.posted.items()))
    world.sql(other_shard(tweet_id), TWIN, later_id(tweet_id), world.author, key, 1)
    found = world.audit(settle_s=12)
    assert found.clean, found
    assert (found.duplicated, found.duplicated_transient) == (0, 1)


def later_id(tweet_id: int) -> int:
    return ids.compose(unix_ms=ids.unix_ms_of(tweet_id) + 1, shard=other_shard(tweet_id), process=0, sequence=0)


def test_an_id_on_two_shards_is_not_unique(world: World) -> None:
    tweet_id = next(iter(world.posted.values()))
    world.sql(other_shard(tweet_id), TWIN, tweet_id, world.author, secrets.token_hex(8), 0)
    found = world.audit()
    assert found.violations == {"non_unique_ids": 1}
    assert found.examples[0].tweet_ids == (tweet_id,)


def test_a_database_without_its_identity_makes_the_audit_incomplete_instead_of_losing_everything(world: World) -> None:
    key = world.lab.identity_key
    world.sql(0, "UPDATE identity SET lab_key = 'another lab'")
    try:
        found = world.audit()
    finally:
        world.sql(0, "UPDATE identity SET lab_key = %s", key)
    assert (found.complete, found.lost) == (False, 0)
    assert any("tweets-db-0-primary" in reason for reason in found.reasons)
    assert world.audit().clean


def test_the_command_finds_the_violation_and_exits_1(world: World, home: Home, failwhale: Callable) -> None:
    run_id = f"99991231T000000Z-{secrets.token_hex(4)}"
    files.write_atomic(home.runs / run_id / history.FILE, world.history.read_bytes())
    assert failwhale("audit", run_id).returncode == 0
    tweet_id = next(iter(world.posted.values()))
    world.sql(ids.shard_of(tweet_id), "DELETE FROM tweets WHERE id = %s", tweet_id)
    answer = failwhale("audit", run_id, "--settle", "0", "--json")
    assert answer.returncode == 1
    assert '"lost":1' in answer.stdout
