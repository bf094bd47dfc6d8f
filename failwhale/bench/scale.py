"""Benchmark `scale`: memory of a timeline and CPU time of a delivery, by how many timelines a cache holds. The timelines are made up.

Lists hold 8 ids: a million that are full would take 8 GB. Each tweet goes to a page of followers drawn anew from all users, so that lists
are as cold as the number of them makes them; where there are fewer users than a page holds, the cost of a tweet falls on fewer deliveries.
"""

from __future__ import annotations

import random

import redis

from failwhale.bench import fanout, redis_server
from failwhale.bench.model import Bench, Measured, Terms
from failwhale.bench.redis_server import RedisServer
from failwhale.bench.worker import Worker, random_pages

SIZES, QUICK_SIZES = (100, 1_000, 10_000, 100_000, 1_000_000), (100, 1_000, 10_000)
LIST_LENGTH = 8
DELIVERIES = 200_000
MEMORY = "1gb"


def run(terms: Terms) -> Measured:
    """Figures for each number of timelines."""
    with redis_server.running(memory=MEMORY) as server, Worker(server) as worker:
        found = {f"{size}_timelines": _measured(terms, server, worker, size) for size in (QUICK_SIZES if terms.quick else SIZES)}
    return Measured(None, 1, {"ids_in_a_list": LIST_LENGTH, **found})


def _measured(terms: Terms, server: RedisServer, worker: Worker, size: int) -> dict[str, float]:
    worker.fill(0, length=0)
    empty = _used_bytes(server)
    worker.fill(size, length=LIST_LENGTH)
    each = (_used_bytes(server) - empty) / size
    pages = random_pages(size, DELIVERIES // min(size, 1000), rng=random.Random(size))
    worker.deliver(pages[: len(pages) // 10])
    watched = fanout.Watched(server, lambda: fanout.timed(worker, pages))
    rate = watched.rate()
    terms.say(f"{size:,} timelines: {each:.0f} bytes each, {watched.server_us + watched.client_us:.2f} us a delivery")
    return {"bytes_each": each, "redis_us": watched.server_us, "python_us": watched.client_us, "deliveries_per_s": rate}


def _used_bytes(server: RedisServer) -> int:
    with redis.Redis(port=server.port) as client:
        return int(client.info("memory")["used_memory"])


BENCH = Bench(
    name="scale",
    meaning=f"Bytes of a timeline of {LIST_LENGTH} ids and CPU time of a delivery, at {SIZES[0]:,} to {SIZES[-1]:,} made-up timelines.",
    better="lower",
    against="nothing: it is told",
    bar=None,
    run=run,
)
