"""Benchmark `fanout`: deliveries a second to an author's 1,000 followers, against `redis-benchmark -P 100 LPUSH` on the same server.

One process delivers (`worker` says what that takes in), all lists exist and are full, so each of them is cut to 800 in every 51st
delivery. The yardstick pushes ids of the same length to 1,000 lists. Server and client have a core each, the same ones in both.
Beside it, from a small lab where everything that is tested shares one core (`fanout_lab`): fan-out takes events of such an author from
the stream and asks the graph for the followers each time.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import time
from collections.abc import Callable

import redis

from failwhale.bench import fanout_lab, measure, model, redis_server
from failwhale.bench.model import Bench, Measured, Terms
from failwhale.bench.redis_server import RedisServer
from failwhale.bench.worker import FIRST_ID, Worker, page_of
from reference_app.contract import storage
from reference_app.stack.errors import StackError

FOLLOWERS, TWEETS, PUSHES = 1000, 300, 400_000
BAR = 0.35
COMMAND_S = 60


class Watched:
    """Sums up what windows of one kind of work did, and the CPU time that the server took for it."""

    def __init__(self, server: RedisServer, work: Callable[[], tuple[int, float]]) -> None:
        """`work` returns operations and seconds."""
        self._server, self._work = server, work
        self._operations, self._server_s, self._client_s = 0, 0.0, 0.0

    def rate(self) -> float:
        """Operations a second of one more window."""
        server, client = measure.cpu_s([self._server.pid]), time.process_time()
        operations, seconds = self._work()
        self._server_s += measure.cpu_s([self._server.pid]) - server
        self._client_s += time.process_time() - client
        self._operations += operations
        return operations / seconds

    @property
    def server_us(self) -> float:
        return self._server_s * 1e6 / self._operations

    @property
    def client_us(self) -> float:
        """Of this process."""
        return self._client_s * 1e6 / self._operations


def run(terms: Terms) -> Measured:
    """Rates of both, the CPU time that an operation takes in both, and the rate in a lab."""
    with redis_server.running(memory="256mb") as server, Worker(server) as worker:
        worker.fill(FOLLOWERS, length=storage.TIMELINE_LENGTH)
        pages = [page_of(range(1, FOLLOWERS + 1))] * TWEETS
        ours, theirs = Watched(server, lambda: timed(worker, pages)), Watched(server, lambda: _push(server))
        pairs = measure.in_turn(ours.rate, theirs.rate, pairs=terms.pairs, say=terms.say)
    absolute = {
        "deliveries_per_s": model.geometric([rate for rate, _ in pairs]).value,
        "lpush_per_s": model.geometric([rate for _, rate in pairs]).value,
        "delivery_python_us": ours.client_us,
        "delivery_redis_us": ours.server_us,
        "lpush_redis_us": theirs.server_us,
        "in_a_lab": fanout_lab.drained(terms, followers=FOLLOWERS),
    }
    return Measured(model.ratio_of(pairs), len(pairs), absolute)


def timed(worker: Worker, pages: list[bytes]) -> tuple[int, float]:
    """Deliveries, and the seconds that they took."""
    started = time.perf_counter()
    deliveries = worker.deliver(pages)
    return deliveries, time.perf_counter() - started


def _push(server: RedisServer) -> tuple[int, float]:
    """The rate is redis-benchmark's own, without its start; its lists are deleted."""
    program = shutil.which("redis-benchmark")
    if program is None:
        raise StackError("redis-benchmark is not installed: it is in the Debian package redis-tools")
    sizes = ["-p", str(server.port), "-P", "100", "-n", str(PUSHES), "-r", str(FOLLOWERS)]
    command = [program, *sizes, "--csv", "LPUSH", "pushed:__rand_int__", str(FIRST_ID)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=True)
    with redis.Redis(port=server.port) as client:
        client.unlink(*(f"pushed:{number:012}" for number in range(FOLLOWERS)))
    (result,) = csv.DictReader(done.stdout.splitlines())
    return PUSHES, PUSHES / float(result["rps"])


BENCH = Bench(
    name="fanout",
    meaning=f"Deliveries a second by one worker to an author's {FOLLOWERS} followers.",
    better="higher",
    against="redis-benchmark -P 100 LPUSH on the same server",
    bar=BAR,
    run=run,
)
