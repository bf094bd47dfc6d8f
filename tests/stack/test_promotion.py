"""Promotion and rebuild on the whole lab: who may write, what is kept, and what rejoins only by being made anew."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import asyncmy
import pytest

from reference_app.contract import ids, storage
from reference_app.contract.topology import Component
from reference_app.kit import changes, deciders
from reference_app.kit.home import Home
from reference_app.stack import backup, bootstrap, errors, failover, mariadb, promotion, rebuilding, replication, shards, standing
from reference_app.stack.control import Control

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("lab")]
SHARD, BORN, OTHER = "tweets-db-0", "tweets-db-0-primary", "tweets-db-0-replica"
INSERT = "INSERT INTO failwhale.likes (tweet_id, user_id) VALUES (%s, %s)"


def promote(home: Home, name: str = SHARD) -> promotion.Promoted:
    return promotion.promote(home, name, by="test", say=print)


def well(home: Home) -> bool:
    return all(shard.well for shard in standing.of_all(home))


@contextmanager
def posting(api: Any) -> Iterator[list[tuple[Any, str]]]:
    """Somebody posts on and on meanwhile; what was acknowledged is listed."""
    author, acknowledged, going = api.user(), [], [True]

    def post() -> None:
        while going:
            acknowledged.append((author, api.acknowledged(author, uuid.uuid4().hex, "on and on")))

    with ThreadPoolExecutor(1) as pool:
        posts = pool.submit(post)
        try:
            yield acknowledged
        finally:
            going.clear()
        posts.result()


def shown(api: Any, tweet: str) -> bool:
    return bool(api.call(None, "GET", f"/tweets/{tweet}").status_code == 200)


async def _run(component: Component, statement: str, *parameters: object, user: str = storage.DATABASE_USER, limit_s: float = 2) -> None:
    async with (
        asyncio.timeout(limit_s),
        asyncmy.connect(host="127.0.0.1", port=component.port, user=user, autocommit=True) as client,
        client.cursor() as cursor,
    ):
        await cursor.execute(statement, parameters)


@pytest.mark.breaks
def test_a_healthy_primary_hands_over_and_services_follow_within_a_second(api: Any, home: Home) -> None:
    with posting(api) as acknowledged:
        done = promote(home)
        promoted_at = time.monotonic()
        count = len(acknowledged)
        while not any(ids.shard_of(int(tweet)) == 0 for _, tweet in acknowledged[count:]):
            assert time.monotonic() < promoted_at + 2, "no post lands on the new primary"
            time.sleep(0.02)
    assert (done.primary, done.replica, done.planned, done.rebuilt) == (OTHER, BORN, True, False)
    assert done.seconds < 3
    assert all(shown(api, tweet) for _, tweet in acknowledged)
    assert well(home)
    last = list(changes.between(home, 0, float("inf")))[-1]
    assert (last.kind, last.subject, last.old, last.new, last.by) == ("primary", SHARD, BORN, OTHER, "test")


def test_services_cannot_write_to_a_replica_whatever_they_believe_it_to_be(home: Home) -> None:
    _, replica = home.lab().shard(SHARD)
    assert replica is not None
    with pytest.raises(asyncmy.errors.OperationalError, match="read-only"):
        asyncio.run(_run(replica, INSERT, 1, 1, user=storage.APPLICATION_USER))


@pytest.mark.breaks
def test_what_a_killed_primary_never_got_acknowledged_is_not_there_when_it_was_rebuilt(
    api: Any, home: Home, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that merely reconnects with it is refused."""
    control, (primary, replica) = Control(home), home.lab().shard(SHARD)
    assert replica is not None
    acknowledged = [api.acknowledged(api.user(), uuid.uuid4().hex, "kept") for _ in range(4)]
    control.kill_and_hold(replica.name)
    with pytest.raises(TimeoutError):
        asyncio.run(_run(primary, INSERT, 77, 77, limit_s=0.3))
    control.kill_and_hold(primary.name)
    control.start(replica.name)
    control.wait_ready([replica.name], 10)

    def reconnect(control: Control, source: Component, copy: Component, say: Callable[[str], None]) -> backup.Backup:
        say(f"{copy.name} of {source.name} merely starts again")
        control.start(copy.name)
        control.wait_ready([copy.name], 10)
        shards.done(_reconnect(copy, source))
        raise AssertionError("it was let in")

    with monkeypatch.context() as patched:
        patched.setattr(rebuilding, "make_anew", reconnect)
        with pytest.raises(errors.ReplicationError, match=r"nobody acknowledged.*shard rebuild tweets-db-0"):
            promote(home)
    assert next(s for s in standing.of_all(home) if s.shard == SHARD).takes_writes is False, "who has no replica acknowledges nothing"
    done = promote(home, OTHER)
    assert (done.primary, done.rebuilt) == (OTHER, True), "naming the primary finishes what was interrupted"
    assert well(home)
    for member in (primary, replica):
        assert not sql.rows(member, "SELECT 1 FROM failwhale.likes WHERE tweet_id = 77")
    assert all(shown(api, tweet) for tweet in acknowledged)


async def _reconnect(copy: Component, source: Component) -> None:
    async with mariadb.connected(copy) as former, mariadb.connected(source) as current:
        await former.execute("SET GLOBAL gtid_slave_pos = @@gtid_binlog_pos")
        await replication.point_at(former, current)
        await replication.follow(former, current)


def test_half_a_copy_is_not_taken_for_a_replica(home: Home) -> None:
    primary, _ = home.lab().shard(SHARD)
    lone, _ = home.lab().shard("users-db-0")

    async def follow() -> None:
        async with mariadb.connected(lone) as copy, mariadb.connected(primary) as source:
            await replication.follow(copy, source)

    with pytest.raises(errors.ReplicationError, match="nobody's replica"):
        shards.done(follow())


@pytest.mark.parametrize(("name", "why"), [("users-db-0", "no replica"), ("tweets-db-7", "no database 'tweets-db-7'; this lab has")])
def test_what_cannot_be_promoted_is_told_so(home: Home, name: str, why: str) -> None:
    with pytest.raises(errors.ReplicationError, match=why):
        promote(home, name)


@pytest.mark.breaks
def test_a_replica_that_does_not_run_is_not_promoted_and_the_primary_goes_on(home: Home) -> None:
    Control(home).kill_and_hold(OTHER)
    with pytest.raises(errors.ReplicationError, match=f"{OTHER} cannot be promoted: .*failwhale up"):
        promote(home)
    assert home.lab().shard(SHARD)[0].name == BORN
    assert "read-only=OFF" in bootstrap.role_file(home, home.lab().component(BORN)).read_text()


@pytest.mark.verify
@pytest.mark.breaks
def test_roles_hold_after_down_and_up(api: Any, home: Home, failwhale: Callable[..., Any]) -> None:
    promote(home)
    tweets = [api.acknowledged(api.user(), uuid.uuid4().hex, "before down") for _ in range(4)]
    assert failwhale("down").returncode == 0
    up = failwhale("up", timeout_s=120)
    assert up.returncode == 0, up.stderr
    assert home.lab().shard(SHARD)[0].name == OTHER
    assert well(home)
    assert all(shown(api, tweet) for tweet in tweets)


@pytest.mark.verify
@pytest.mark.breaks
def test_with_the_decider_on_a_dead_primary_is_replaced_and_rebuilt_by_itself(
    api: Any, home: Home, eventually: Callable[[Callable[[], bool], str], None]
) -> None:
    tweets = [api.acknowledged(api.user(), uuid.uuid4().hex, "before the crash") for _ in range(4)]
    deciders.write(home, failover.DECIDER, deciders.ON, by="test")
    Control(home).kill_and_hold(BORN)
    eventually(lambda: home.lab().shard(SHARD)[0].name == OTHER, "the replica was promoted")
    eventually(lambda: well(home), "the former primary was rebuilt")
    assert list(changes.between(home, 0, float("inf")))[-1].by == failover.DECIDER
    assert all(shown(api, tweet) for tweet in tweets)
