"""The whole way of fan-out in a small lab: from the stream, over the graph, to both caches; everything that is tested shares one core."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import msgspec
import nats
import redis

from failwhale.bench import lab, measure
from failwhale.bench.lab import BenchLab
from failwhale.bench.model import Terms
from failwhale.bench.worker import FIRST_ID
from reference_app.contract import storage
from reference_app.contract.topology import Lab
from reference_app.kit.ring import Ring
from reference_app.stack.errors import StackError

TWEETS, QUICK_TWEETS = 400, 100
DRAIN_S, POLL_S = 30.0, 0.02
TAKES_PART = ("fanout", "timeline-cache", "graph", "graph-db", "events")


def drained(terms: Terms, *, followers: int) -> dict[str, Any]:
    """Deliveries a second while fan-out works off a backlog, and the CPU time of a delivery by group."""
    with lab.running(terms.say, users=0) as bench_lab:
        seed_star(bench_lab, followers)
        make_lists(bench_lab.lab, range(2, followers + 2))
        tweets = QUICK_TWEETS if terms.quick else TWEETS
        asyncio.run(_drain(bench_lab.lab, tweets // 10))  # warms up
        before = {group: measure.cpu_s(bench_lab.pids(group)) for group in TAKES_PART}
        seconds = asyncio.run(_drain(bench_lab.lab, tweets))
        spent = {group: measure.cpu_s(bench_lab.pids(group)) - before[group] for group in TAKES_PART}
    deliveries = tweets * followers
    return {"deliveries_per_s": deliveries / seconds, "us_by_group": {group: s * 1e6 / deliveries for group, s in spent.items()}}


def seed_star(bench_lab: BenchLab, followers: int) -> None:
    """User 1, whom the users 2 to `followers` + 1 follow."""
    edges = Path(bench_lab.home.path) / "star.txt"
    edges.write_text("".join(f"{user} 1\n" for user in range(2, followers + 2)))
    bench_lab.command("seed", "--graph", str(edges), "--directed")


def make_lists(lab: Lab, users: range) -> None:
    """Empty, complete lists on the caches where the ring has them."""
    caches = {cache.name: cache.port for cache in lab.group("timeline-cache")}
    for node, held in Ring(list(caches)).by_node(users).items():
        with redis.Redis(port=caches[node]) as client:
            epoch = int(client.get(storage.TIMELINE_EPOCH_KEY) or 0)
            with client.pipeline(transaction=False) as pipeline:
                for user in held:
                    pipeline.rpush(storage.timeline_key(user, epoch), storage.TIMELINE_READY)
                pipeline.execute()


async def _drain(of: Lab, tweets: int) -> float:
    """Seconds from the first event until the last one is acknowledged. The tweets are made up: lists get their ids, and nobody reads them."""
    client = await nats.connect(f"nats://127.0.0.1:{of.group('events')[0].port}", allow_reconnect=False)
    try:
        stream = client.jetstream()
        now = int(time.time() * 1000)
        ids = itertools.count(FIRST_ID + now * 10**4)
        started = time.perf_counter()
        for _ in range(tweets):
            event = storage.TweetEvent(next(ids), 1, now, "made up")
            await stream.publish(storage.SUBJECT_POSTED, msgspec.json.encode(event))
        while True:
            consumer = await stream.consumer_info(storage.STREAM, storage.FANOUT_CONSUMER)
            if not consumer.num_pending and not consumer.num_ack_pending:
                return time.perf_counter() - started
            if time.perf_counter() - started > DRAIN_S:
                raise StackError(f"fan-out of the benchmark's lab did not deliver {tweets} tweets within {DRAIN_S:g} s")
            await asyncio.sleep(POLL_S)
    finally:
        await client.close()
