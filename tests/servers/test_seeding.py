from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import nats
import numpy as np
import pytest
from redis import Redis

import reference_app.contract
from reference_app.contract import keyvalue, storage
from reference_app.contract.seed import Seed
from reference_app.contract.topology import Lab
from reference_app.kit import files, lease
from reference_app.kit.home import HOME_VARIABLE, REPOSITORY, Home
from reference_app.stack import errors, graphs, loading, render, seeding, shards, suggesting, synthetic_graph

REED98 = Path(__file__).resolve().parents[3] / "shared" / "data" / "graph-reed98" / "socfb-Reed98.edges"
SCHEMAS = Path(reference_app.contract.__file__).parent / "schema"
TABLES = {
    "users",
    "followees",
    "followers",
    "follower_counts",
    "pending_edges",
    "blocks",
    "tweets",
    "outbox",
    "likes",
    "engagement_deltas",
} | {keyvalue.OPERATIONS_TABLE, *(dataset.table for dataset in keyvalue.DATASETS.values())}
PAIR = graphs.of(("ualice", "ubob"), [(1, 2)])


class Stores(NamedTuple):
    home: Home
    database: Any
    cache: Any
    events: Any
    execute: Any

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.execute(self.database.port, "USE failwhale", sql)

    def seed(self, graph: graphs.Graph) -> Seed:
        return seeding.seed(self.home, graph, source="test", directed=True, report=lambda _: None)


@pytest.fixture
def stores(start: Any, execute: Any, tmp_path: Path) -> Stores:
    """One server plays all database groups; beside it a cache and a stream."""
    database, cache, events = start("mariadb", *render.KEYVALUE_OPTIONS), start("redis"), start("nats")
    execute(database.port, "CREATE DATABASE failwhale", "USE failwhale", *statements(*storage.SCHEMAS))
    groups = [replace(database.component, name=f"{group}-0", group=group, role="primary") for group in storage.SCHEMAS]
    home = Home(tmp_path / "home")
    files.write_json(home.lab_file, Lab(str(home.path), "test", 0, (*groups, cache.component, events.component), "", ""))
    return Stores(home, database, cache, events, execute)


def test_seeding_fills_users_and_follows_and_records_what_is_there(stores: Stores) -> None:
    seeded = stores.seed(synthetic_graph.generate(200, seed=1))
    assert stores.rows("SELECT COUNT(*), MIN(id), MAX(id) FROM users") == [(200, 1, 200)]
    assert stores.rows("SELECT handle FROM users WHERE id = 7") == [("u7",)]
    assert stores.rows("SELECT COUNT(*) FROM followees") == stores.rows("SELECT COUNT(*) FROM followers") == [(seeded.edges,)]
    assert stores.rows("SELECT followers FROM follower_counts WHERE user_id = 1") == [(seeded.top_followers,)] == [(40,)]
    assert msgspec.json.decode(stores.home.seed_file.read_bytes(), type=Seed) == seeded


def test_seeding_again_leaves_nothing_of_the_users_before(stores: Stores) -> None:
    stores.seed(synthetic_graph.generate(50, seed=1))
    stores.rows("INSERT INTO tweets (id, user_id, idempotency_key, text) VALUES (1, 1, 'k', 'old')")
    stores.rows("INSERT INTO outbox (subject, payload, created_ms) VALUES ('s', 'p', 1)")
    stores.rows("INSERT INTO engagement_deltas (tweet_id, counted, delta, created_ms) VALUES (1, 'likes', 1, 1)")
    stores.rows("INSERT INTO engagement_counts VALUES ('1:likes', 3)")
    stores.rows("INSERT INTO suggestions_dismissed VALUES ('1:2', '1')")
    redis = Redis(port=stores.cache.port)
    redis.lpush(storage.timeline_key(1, 0), 1)
    asyncio.run(publish(stores.events.port))
    stores.seed(PAIR)
    assert stores.rows("SELECT id, handle FROM users ORDER BY id") == [(1, "ualice"), (2, "ubob")]
    assert stores.rows("SELECT follower_id, followee_id FROM followees") == [(1, 2)]
    assert stores.rows("SELECT (SELECT COUNT(*) FROM tweets), (SELECT COUNT(*) FROM outbox)") == [(0, 0)]
    tables = ("engagement_deltas", "engagement_counts", "suggestions_dismissed")
    assert [stores.rows(f"SELECT COUNT(*) FROM {table}") for table in tables] == [[(0,)]] * 3  # noqa: S608
    assert redis.dbsize() == 0
    redis.close()
    assert asyncio.run(messages(stores.events.port)) == 0
    assert {name for (name,) in stores.rows("SHOW TABLES")} == TABLES


def test_suggestions_are_computed_when_users_are_seeded_and_again_when_follows_changed(stores: Stores) -> None:
    suggested = "SELECT k, v FROM suggestions_who_to_follow WHERE k <> '' ORDER BY k"
    generation = "SELECT CAST(v AS UNSIGNED) FROM suggestions_who_to_follow WHERE k = ''"
    stores.seed(graphs.of(("u1", "u2", "u3", "u4"), [(1, 2), (2, 3), (3, 4)]))
    assert stores.rows(suggested) == [(b"1", b"3"), (b"2", b"4")]
    ((first,),) = stores.rows(generation)
    stores.rows("INSERT INTO followees (follower_id, followee_id) VALUES (1, 3)")
    stores.rows("UPDATE followees SET active = 0 WHERE follower_id = 2")
    assert suggesting.build(stores.home, report=lambda _: None) == 1
    assert stores.rows(suggested) == [(b"1", b"4")]
    ((second,),) = stores.rows(generation)
    assert second > first
    assert not [name for (name,) in stores.rows("SHOW TABLES") if name not in TABLES], "nothing is left beside the tables"


def test_a_failure_on_the_way_changes_nothing(stores: Stores) -> None:
    before = stores.seed(PAIR)
    doubled = graphs.Graph(("u1", "u2", "u3"), np.array([(1, 2), (1, 2)]))
    with pytest.raises(seeding.SeedError, match="Nothing was changed"):
        stores.seed(doubled)
    assert stores.rows("SELECT COUNT(*) FROM users") == [(2,)]
    assert msgspec.json.decode(stores.home.seed_file.read_bytes(), type=Seed) == before
    assert {name for (name,) in stores.rows("SHOW TABLES")} == TABLES


def test_a_store_that_does_not_answer_is_named_before_anything_is_touched(stores: Stores) -> None:
    stores.seed(PAIR)
    stores.cache.signal(signal.SIGSTOP)
    with pytest.raises(seeding.SeedError, match=r"redis-1 \(no answer within 2 s\)"):
        stores.seed(synthetic_graph.generate(50, seed=1))
    assert stores.rows("SELECT COUNT(*) FROM users") == [(2,)]


def test_seeding_is_refused_while_another_process_runs_a_drill(stores: Stores) -> None:
    parent = os.getppid()
    held = lease.Lease("drill-1", parent, lease.process_started(parent) or 0, time.time() + 60)
    files.write_json(lease.path(stores.home.chaos), held)
    with pytest.raises(seeding.SeedError, match="run drill-1"):
        stores.seed(PAIR)
    assert not stores.home.seed_file.exists()


def test_seeding_is_refused_while_somebody_else_moves_the_data_of_the_lab(stores: Stores) -> None:
    with shards.alone(stores.home), pytest.raises(errors.StackError, match="a seeding, promotion"):
        stores.seed(PAIR)
    assert not stores.home.seed_file.exists()


def test_progress_counts_all_rows_of_all_tables(stores: Stores) -> None:
    told: list[loading.Step] = []
    seeded = seeding.seed(stores.home, synthetic_graph.generate(1200, seed=1), source="test", directed=True, report=told.append)
    assert [step.done for step in told] == sorted(step.done for step in told)
    assert told[-1].done == told[-1].total >= 1200 + 2 * seeded.edges
    assert "writing followers" in {step.doing for step in told}


def test_each_edge_is_on_its_followers_shard_and_on_its_followees(stores: Stores, start: Any, execute: Any) -> None:
    other = start("mariadb")
    execute(other.port, "CREATE DATABASE failwhale", "USE failwhale", *statements("graph-db"))
    lab = stores.home.lab()
    second = replace(other.component, name="graph-db-1", group="graph-db", index=1, role="primary")
    files.write_json(stores.home.lab_file, replace(lab, components=(*lab.components, second)))
    stores.seed(graphs.of(("u1", "u2", "u3", "u4"), [(1, 2), (1, 3), (2, 4), (4, 2)]))
    even, odd = stores.rows, lambda sql: execute(other.port, "USE failwhale", sql)
    assert odd("SELECT follower_id, followee_id FROM followees") == [(1, 2), (1, 3)]
    assert even("SELECT follower_id, followee_id FROM followees") == [(2, 4), (4, 2)]
    assert odd("SELECT followee_id, follower_id FROM followers") == [(3, 1)]
    assert even("SELECT followee_id, follower_id FROM followers") == [(2, 1), (2, 4), (4, 2)]
    assert even("SELECT user_id, followers FROM follower_counts") == [(2, 2), (4, 1)]


def test_an_interrupted_seeding_takes_away_what_it_began_and_says_what_is_there(stores: Stores) -> None:
    before = stores.seed(PAIR)
    command = [sys.executable, "-m", "failwhale", "seed", "--users", "20000"]
    environment = os.environ | {HOME_VARIABLE: str(stores.home.path)}
    with subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "writing users" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(20) == 130
    assert "interrupted. Nothing was changed" in said
    assert stores.rows("SELECT COUNT(*) FROM users") == [(2,)]
    assert {name for (name,) in stores.rows("SHOW TABLES")} == TABLES
    assert msgspec.json.decode(stores.home.seed_file.read_bytes(), type=Seed) == before


@pytest.mark.verify
def test_a_million_follows_are_seeded_within_90_seconds(stores: Stores) -> None:
    began = time.monotonic()
    seeded = stores.seed(synthetic_graph.generate(28_600, seed=1, edges=1_000_000))
    assert seeded.edges == pytest.approx(1_000_000, rel=0.01)
    assert stores.rows("SELECT COUNT(*) FROM followers") == [(seeded.edges,)]
    assert time.monotonic() - began <= 90


@pytest.mark.skipif(not REED98.exists(), reason=f"the real graph is not beside the checkout: {REED98}")
def test_the_real_friendship_graph_is_loaded_whole(stores: Stores) -> None:
    stores.seed(graphs.read(REED98, directed=False).graph)
    assert stores.rows("SELECT COUNT(*) FROM users") == [(962,)]
    assert stores.rows("SELECT COUNT(*), COUNT(DISTINCT follower_id) FROM followees") == [(37_624, 962)]


def statements(*groups: str) -> list[str]:
    schemas = "".join((SCHEMAS / storage.SCHEMAS[group]).read_text() for group in groups)
    return [s for s in "\n".join(line for line in schemas.splitlines() if not line.startswith("--")).split(";") if s.strip()]


async def publish(port: int) -> None:
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    await client.jetstream().add_stream(name=storage.STREAM, subjects=["tweets.*"])
    await client.jetstream().publish(storage.SUBJECT_POSTED, b"{}")
    await client.close()


async def messages(port: int) -> int:
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    info = await client.jetstream().stream_info(storage.STREAM)
    await client.close()
    return info.state.messages
