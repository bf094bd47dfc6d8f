"""The whole way of fan-out in a small lab: from the stream, over the graph, to both caches; everything that is tested shares one core."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import nats

from failwhale.bench import lab, measure
from failwhale.bench.lab import BenchLab
from failwhale.bench.lists import Lists
from failwhale.bench.model import Terms
from failwhale.bench.worker import FIRST_ID
from reference_app.contract import storage
from reference_app.contract.topology import Lab
from reference_app.stack.errors import StackError

TWEETS, QUICK_TWEETS = 400, 100
DRAIN_S, POLL_S = 30.0, 0.02
TAKES_PART = ("fanout", "timeline-cache", "graph", "graph-db", "events")


def drained(terms: Terms, *, followers: int) -> dict[str, Any]:
    """Deliveries a second while fan-out works off a backlog, and the CPU time of a delivery by group."""
    with lab.running(terms.say, users=0) as bench_lab:
        seed_stars(bench_lab, {1: range(2, followers + 2)})
        with Lists(bench_lab.lab) as lists:
            lists.make(range(2, followers + 2))
        tweets = QUICK_TWEETS if terms.quick else TWEETS
        asyncio.run(_drain(bench_lab.lab, tweets // 10))  # warms up
        before = {group: measure.cpu_s(bench_lab.pids(group)) for group in TAKES_PART}
        seconds = asyncio.run(_drain(bench_lab.lab, tweets))
        spent = {group: measure.cpu_s(bench_lab.pids(group)) - before[group] for group in TAKES_PART}
    deliveries = tweets * followers
    return {"deliveries_per_s": deliveries / seconds, "us_by_group": {group: s * 1e6 / deliveries for group, s in spent.items()}}


def seed_stars(bench_lab: BenchLab, followers: Mapping[int, Sequence[int]]) -> None:
    """Authors and who follows them: all users from 1 on, because users are numbered in their order."""
    edges = Path(bench_lab.home.path) / "stars.txt"
    edges.write_text("".join(f"{user} {author}\n" for author, users in followers.items() for user in users))
    bench_lab.command("seed", "--graph", str(edges), "--directed")


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
