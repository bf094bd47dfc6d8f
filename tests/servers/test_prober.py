from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.js.api import ConsumerConfig
from prometheus_client import CollectorRegistry

from reference_app.contract import metrics, storage
from reference_app.contract.topology import Component, Lab
from reference_app.kit import files
from reference_app.kit.deciders import Deciders
from reference_app.kit.home import HOME_VARIABLE, Home
from reference_app.stack import prober
from reference_app.stack.failover import Failover
from reference_app.stack.host_vitals import Host
from reference_app.stack.readings import Readings

PRIMARY = ("--server-id=1", "--log-bin=b", "--plugin-maturity=unknown", "--rpl-semi-sync-master-enabled=ON")
REPLICA = ("--server-id=2", "--relay-log=r", "--rpl-semi-sync-slave-enabled=ON")
FOLLOW = "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='root', MASTER_PASSWORD='', MASTER_USE_GTID=slave_pos"


def lab_of(*components: Component) -> Lab:
    return Lab("", "test", 0, components, signing_key="", supervisor_password="")


def observe(lab: Lab, directory: Path, seconds: float = 0.9) -> CollectorRegistry:
    """What the prober knows after that long."""
    readings, registry = Readings(), CollectorRegistry()
    registry.register(readings)
    failover = Failover(Home(directory), lab, Deciders(Home(directory).deciders_file))

    async def run() -> None:
        async with asyncio.timeout(seconds):
            await prober.Prober(lab, Host(directory), readings, [failover]).run()

    with pytest.raises(TimeoutError):
        asyncio.run(run())
    return registry


def value(registry: CollectorRegistry, metric: metrics.Metric, *labels: str) -> float | None:
    return registry.get_sample_value(metric.name, dict(zip(metric.labels, labels, strict=True)))


def test_healthy_servers_are_up_and_tell_their_cache_use(start: Any, tmp_path: Path) -> None:
    cache, database = start("redis").component, start("mariadb").component
    seen = observe(lab_of(cache, database), tmp_path)
    for component in (cache, database):
        assert value(seen, metrics.COMPONENT_UP, component.name, component.kind) == 1
        assert value(seen, metrics.COMPONENT_HUNG, component.name, component.kind) == 0
    assert value(seen, metrics.CACHE_HITS, cache.name) == 0
    assert value(seen, metrics.CACHE_EVICTIONS, cache.name) == 0
    assert 0 < (value(seen, metrics.CONNECTIONS, cache.name) or 0) < 0.1
    assert 0 < (value(seen, metrics.CONNECTIONS, database.name) or 0) < 0.1
    assert abs(value(seen, metrics.CLOCK_OFFSET, database.name) or 1) < 0.3


def test_a_paused_component_is_reported_hung_and_delays_nobody(start: Any, tmp_path: Path) -> None:
    healthy, paused = start("redis").component, start("redis")
    paused.signal(signal.SIGSTOP)
    early = observe(lab_of(paused.component, healthy), tmp_path, seconds=0.2)
    assert value(early, metrics.COMPONENT_UP, healthy.name, "redis") == 1
    later = observe(lab_of(paused.component, healthy), tmp_path)
    assert value(later, metrics.COMPONENT_UP, paused.component.name, "redis") == 0
    assert value(later, metrics.COMPONENT_HUNG, paused.component.name, "redis") == 1
    assert value(later, metrics.CACHE_HITS, paused.component.name) is None


def test_replication_and_semi_sync_are_reported_and_a_broken_replica_has_no_lag(start: Any, tmp_path: Path, execute: Any) -> None:
    first, second = start("mariadb", *PRIMARY).component, start("mariadb", *REPLICA).component
    primary, replica = replace(first, role="primary", shard="s"), replace(second, role="replica", shard="s")
    execute(replica.port, FOLLOW.format(port=primary.port), "START SLAVE")
    lab = lab_of(primary, replica)
    seen = observe(lab, tmp_path, seconds=2.5)
    assert value(seen, metrics.REPLICATION_RUNNING, replica.name, "s") == 1
    assert value(seen, metrics.REPLICATION_LAG, replica.name, "s") == 0
    assert value(seen, metrics.SEMI_SYNC_ON, primary.name, "s") == 1
    assert value(seen, metrics.PRIMARY_READ_ONLY, primary.name, "s") == 0
    assert value(seen, metrics.PRIMARY_READ_ONLY, replica.name, "s") is None
    execute(replica.port, "STOP SLAVE SQL_THREAD")
    seen = observe(lab, tmp_path)
    assert value(seen, metrics.REPLICATION_RUNNING, replica.name, "s") == 0
    assert value(seen, metrics.REPLICATION_LAG, replica.name, "s") is None


def test_stream_lag_is_absent_without_a_stream_and_counts_what_was_not_taken(start: Any, tmp_path: Path) -> None:
    events = start("nats").component
    assert value(observe(lab_of(events), tmp_path), metrics.STREAM_PENDING, storage.FANOUT_CONSUMER) is None
    asyncio.run(_publish(events.port, 3))
    assert value(observe(lab_of(events), tmp_path), metrics.STREAM_PENDING, storage.FANOUT_CONSUMER) == 3


async def _publish(port: int, count: int) -> None:
    client = await nats.connect(f"nats://127.0.0.1:{port}")
    stream = client.jetstream()
    await stream.add_stream(name=storage.STREAM, subjects=["tweets.*"])
    await stream.add_consumer(storage.STREAM, ConsumerConfig(durable_name=storage.FANOUT_CONSUMER))
    for _ in range(count):
        await stream.publish(storage.SUBJECT_POSTED, b"{}")
    await client.close()


def test_the_process_serves_what_it_knows_and_ends_on_sigterm(tmp_path: Path, free_port: Any) -> None:
    own, dead = Component("prober", "prober", "prober", 0, free_port()), Component("tweet-cache-0", "redis", "tweet-cache", 0, free_port())
    files.write_json(tmp_path / "lab.json", lab_of(own, dead))
    process = subprocess.Popen([sys.executable, "-m", prober.__name__], env=os.environ | {HOME_VARIABLE: str(tmp_path)})
    try:
        text = _scrape(own.port)
        assert 'component_up{component="tweet-cache-0",kind="redis"} 0.0' in text
    finally:
        process.terminate()
        assert process.wait(10) == 0


def _scrape(port: int) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1) as reply:
                text = reply.read().decode()
        except urllib.error.URLError:
            text = ""
        if 'component_up{component="tweet' in text:
            return text
        time.sleep(0.1)
    raise AssertionError("the prober never served a reading")
