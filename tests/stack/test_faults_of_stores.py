"""Faults of databases, caches and resources on real components: felt while in force, gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import time
from collections.abc import Callable, Iterator
from typing import Any

import asyncmy
import pytest
import redis
from asyncmy.errors import MySQLError

from chaos import cgroups, undo
from chaos.faults import caches, resources
from chaos.faults.base import NotApplicableError
from chaos.faults.caches import FlushCache
from chaos.faults.databases import AGAIN_SECONDS, ExhaustConnections, HangWrites, LockTable, ReadOnly, SlowQueries, StopReplica, Thread
from chaos.faults.families import AnyFault
from chaos.faults.resources import CpuBurn, CpuQuota
from chaos.session import Session
from reference_app.contract import api, storage
from reference_app.contract.topology import Lab
from reference_app.kit import sql
from reference_app.kit.home import Home
from reference_app.stack import marks
from tests.stack.injecting import held, taken_back
from tests.waiting import await_true

pytestmark = [pytest.mark.lab, pytest.mark.breaks]

DATABASE, REPLICA, CACHE, SERVICE = "graph-db-0", "tweets-db-0-replica", "tweet-cache-0", "search-0"
PATIENCE_S = 0.5
PRIMARY = "tweets-db-0-primary"
LIKE, UNLIKE = "REPLACE INTO likes VALUES (-1, -1)", "DELETE FROM likes WHERE tweet_id = -1"
READ, WRITE = "SELECT COUNT(*) FROM followees", "DELETE FROM pending_edges WHERE follower_id = -1"


@pytest.fixture
def run(lab: Lab, home: Home) -> Iterator[Session]:  # noqa: ARG001 - the lab runs
    with held(home) as session:
        yield session


def asked(home: Home, statement: str, component: str = DATABASE) -> str:
    """`answered`, `silent`, or how the database refused, of a connection as a service makes it."""

    async def ask() -> str:
        async with asyncio.timeout(PATIENCE_S):
            port = home.lab().component(component).port
            connected = asyncmy.connect(
                host="127.0.0.1", port=port, user=storage.APPLICATION_USER, database=storage.DATABASE, autocommit=True
            )
            async with connected as connection, connection.cursor() as cursor:
                await cursor.execute(statement)
        return "answered"

    try:
        return asyncio.run(ask())
    except TimeoutError:
        return "silent"
    except MySQLError as error:
        return str(error.args[1])


FELT: list[tuple[AnyFault, str, str]] = [
    (LockTable(DATABASE, table="followees"), "silent", "answered"),
    (HangWrites(DATABASE), "answered", "silent"),
    (ReadOnly(DATABASE), "answered", "read-only"),
    (ExhaustConnections(DATABASE), "Too many connections", "Too many connections"),
]


@pytest.mark.parametrize(("fault", "read", "written"), FELT, ids=[type(fault).__name__ for fault, _, _ in FELT])
def test_a_fault_of_a_database_is_felt_and_gone_when_it_is_undone(run: Session, fault: AnyFault, read: str, written: str) -> None:
    await_true(lambda: (asked(run.home, READ), asked(run.home, WRITE)) == ("answered", "answered"), 5)
    undo.inject(run, fault)
    await_true(lambda: read in asked(run.home, READ) and written in asked(run.home, WRITE), 10)
    assert min(fault.measured(run.home).values()) > 0
    taken_back(run, fault)
    await_true(lambda: (asked(run.home, READ), asked(run.home, WRITE)) == ("answered", "answered"))


@pytest.mark.parametrize(("cut_open", "goes_on"), [(False, True), (True, False)])
def test_where_no_connection_is_left_a_pool_keeps_its_own_unless_it_is_cut(run: Session, *, cut_open: bool, goes_on: bool) -> None:
    with asyncio.Runner() as runner:
        pooled = runner.run(sql.connect(run.home.lab().component(DATABASE).port, user=storage.APPLICATION_USER))
        fault = ExhaustConnections(DATABASE, cut_open=cut_open)
        undo.inject(run, fault)
        await_true(lambda: "Too many connections" in asked(run.home, READ), 10)
        time.sleep(2 * AGAIN_SECONDS)
        assert runner.run(answers(pooled)) == goes_on
        taken_back(run, fault)
        pooled.close()


async def answers(connection: Any) -> bool:
    try:
        await connection.ping(reconnect=False)
    except (MySQLError, OSError):
        return False
    return True


def test_slow_queries_wait_for_a_part_of_each_hold_and_are_answered(run: Session) -> None:
    fault = SlowQueries(DATABASE, table="followees", hold_ms=200, pause_ms=50)
    undo.inject(run, fault)
    await_true(lambda: fault.measured(run.home)["statement_mean_ms"] > 40, 10)
    await_true(lambda: asked(run.home, READ) == "answered", 5)
    taken_back(run, fault)
    await_true(lambda: fault.measured(run.home)["statement_mean_ms"] < 40, 10)


@pytest.mark.parametrize(("thread", "written"), [("io", "silent"), ("sql", "answered")])
def test_a_stopped_replica_is_behind_and_catches_up(run: Session, thread: Thread, written: str) -> None:
    fault = StopReplica(REPLICA, thread=thread)
    undo.inject(run, fault)
    assert fault.in_effect(run.home)
    await_true(lambda: asked(run.home, LIKE, PRIMARY) == written, 5)
    await_true(lambda: fault.measured(run.home)["transactions_behind"] >= 1)
    with pytest.raises(NotApplicableError, match="in force already"):
        undo.inject(run, fault)
    taken_back(run, fault)
    await_true(lambda: fault.measured(run.home)["transactions_behind"] == 0)
    await_true(lambda: asked(run.home, UNLIKE, PRIMARY) == "answered", 5)


def test_a_flushed_cache_is_up_and_cold(run: Session) -> None:
    with redis.Redis(port=run.home.lab().component(CACHE).port) as client:
        client.set("kept", "x")
        undo.inject(run, FlushCache(CACHE))
        assert client.get("kept") is None
        assert FlushCache(CACHE).measured(run.home)["flushes_total"] >= 1
    taken_back(run, FlushCache(CACHE))


def test_an_eviction_storm_throws_out_what_comes_in_and_ends_at_the_former_limit(run: Session) -> None:
    storm = caches.eviction_storm(run.home, CACHE, 2 << 20)
    with redis.Redis(port=run.home.lab().component(CACHE).port) as client:
        former = client.config_get("maxmemory")
        undo.inject(run, storm)
        for number in range(200):
            client.set(f"big-{number}", "x" * 20_000)
        assert sum(client.exists(f"big-{number}") for number in range(200)) < 150
        taken_back(run, storm)
        assert client.config_get("maxmemory") == former


@pytest.mark.skipif(cgroups.controller("cpu") is None, reason="no cgroup controller cpu here")
@pytest.mark.parametrize("ration", [CpuQuota("cpu-burn-0", percent=20), CpuQuota("cpu-burn-0", of_use=20)], ids=["percent", "of_use"])
def test_a_rationed_process_gets_its_share_and_no_more(run: Session, ration: CpuQuota) -> None:
    burner = CpuBurn(workers=1)
    burner.apply(run.home)
    await_true(lambda: burner.in_effect(run.home))
    ration.apply(run.home)
    pid = marks.components(run.home.path)["cpu-burn-0"].pid
    before, began = used_s(pid), time.monotonic()
    time.sleep(1)
    share = (used_s(pid) - before) / (time.monotonic() - began)
    measured = ration.measured(run.home) | burner.measured(run.home)
    ration.undo(run.home)
    burner.undo(run.home)
    assert share < 0.3
    assert measured["throttled_s"] > 0.5
    assert 0 < measured["percent"] <= 20
    assert measured["burnt_s"] > 0
    assert not ration.in_effect(run.home)
    assert not burner.in_effect(run.home)


@pytest.mark.parametrize("fault", [LockTable(DATABASE, table="followees"), CpuBurn()], ids=["lock_table", "cpu_burn"])
def test_what_an_agent_holds_is_not_held_twice(run: Session, fault: AnyFault) -> None:
    undo.inject(run, fault)
    await_true(lambda: fault.in_effect(run.home))
    with pytest.raises(NotApplicableError, match="in force already"):
        undo.inject(run, fault)
    taken_back(run, fault)


def used_s(pid: int) -> float:
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e9


def test_a_service_without_descriptors_takes_no_new_connection_until_it_has_its_own_limit_back(run: Session) -> None:
    fault = resources.few_descriptors(run.home, SERVICE)
    with contextlib.ExitStack() as kept:
        assert answers_anew(run.home, kept)
        undo.inject(run, fault)
        await_true(lambda: not answers_anew(run.home, kept))
        measured = fault.measured(run.home)
        assert 0 < measured["open_files"] <= measured["allowed_files"]
        (undone,) = undo.replay(run.home, by="test")
        assert (undone.error, fault.in_effect(run.home)) == ("", False)
        await_true(lambda: answers_anew(run.home, kept))


def answers_anew(home: Home, kept: contextlib.ExitStack) -> bool:
    """Whether the service answers on a new connection, which stays open: what it still had free below its limit is soon used up."""
    port = home.lab().component(SERVICE).port
    connection = kept.enter_context(contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)))
    try:
        connection.request("GET", api.HEALTH)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False


@pytest.mark.parametrize(
    ("asked_for", "said"),
    [
        (lambda _: LockTable(DATABASE, table="tweets"), "has no table"),
        (lambda _: LockTable(CACHE), "no database"),
        (lambda _: SlowQueries(DATABASE, table="followees", hold_ms=0), "between 1 and 2000"),
        (lambda _: FlushCache(DATABASE), "no cache"),
        (lambda _: StopReplica(DATABASE), "no replica"),
        (lambda _: ReadOnly(REPLICA), "no primary"),
        (lambda _: CpuQuota(SERVICE, percent=0), "between 1 and 100"),
        (lambda _: CpuQuota(SERVICE, of_use=101), "between 0 and 100"),
        (lambda home: caches.eviction_storm(home, CACHE, 1), "or more"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_changes(run: Session, asked_for: Callable[[Home], AnyFault], said: str) -> None:
    with pytest.raises(NotApplicableError, match=said):
        undo.inject(run, asked_for(run.home))
    assert undo.pending(run.home) == []
