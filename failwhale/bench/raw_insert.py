"""The yardstick of a post: its two rows inserted by asyncmy, and nothing else. `python -m failwhale.bench.raw_insert PORT...`, one port a shard.

A process of its own, because the client's CPU time counts. It reads a number of seconds from each line of standard input, inserts for so
long over some connections in a closed loop, and answers with the number of transactions that were acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import asyncmy
import msgspec
import uvloop

from failwhale.bench import wrk
from reference_app.contract import ids, storage
from reference_app.stack.errors import StackError

CONNECTIONS, USERS = 8, 300
TWEET = "INSERT INTO tweets (id, user_id, idempotency_key, text) VALUES (%s, %s, %s, %s)"
EVENT = "INSERT INTO outbox (subject, payload, traceparent, created_ms, published) VALUES (%s, %s, '', %s, 1)"
"""As if it was published already: no relay takes it."""
TEXT = "post of a benchmark, about as long as tweets are: the median has some sixty characters"


class Inserter:
    """The running client."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid

    def insert(self, seconds: int) -> int:
        """Insert for so long; returns how many were acknowledged. Raises StackError when it ended."""
        assert self._process.stdin is not None  # noqa: S101 - started with pipes
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise StackError("the raw inserts failed: see the lines above")
        return int(answer)


@contextlib.contextmanager
def running(ports: list[int]) -> Iterator[Inserter]:
    """The client for the shards whose primaries listen there, on the core of what is under test."""
    command = [*wrk.tested_core(), sys.executable, "-m", "failwhale.bench.raw_insert", *map(str, ports)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Inserter(process)
    finally:
        process.kill()
        process.communicate()


async def _main(ports: list[int]) -> None:
    connections = [await _connect(port) for port, _ in zip(itertools.cycle(ports), range(CONNECTIONS), strict=False)]
    numbers = itertools.count()
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        ends = time.monotonic() + int(line)
        counts = await asyncio.gather(*(_insert_until(connection, numbers, ends) for connection in connections))
        sys.stdout.write(f"{sum(counts)}\n")
        sys.stdout.flush()


async def _connect(port: int) -> Any:
    return await asyncmy.connect(host="127.0.0.1", port=port, user=storage.DATABASE_USER, database=storage.DATABASE, autocommit=True)


async def _insert_until(connection: Any, numbers: Iterator[int], ends: float) -> int:
    done = 0
    while time.monotonic() < ends:
        await _insert(connection, next(numbers))
        done += 1
    return done


async def _insert(connection: Any, number: int) -> None:
    """One transaction, on its primary and its replica when it returns."""
    now_ms = time.time_ns() // 1_000_000
    tweet_id = ids.compose(unix_ms=now_ms, shard=ids.MAX_SHARDS - 1, process=0, sequence=number % ids.MAX_SEQUENCE)
    user_id = number % USERS + 1
    payload = msgspec.json.encode(storage.TweetEvent(tweet_id, user_id, now_ms, TEXT))
    await connection.begin()
    async with connection.cursor() as cursor:
        await cursor.execute(TWEET, (tweet_id, user_id, f"raw-{tweet_id}", TEXT))
        await cursor.execute(EVENT, (storage.SUBJECT_POSTED, payload, now_ms))
    await connection.commit()


if __name__ == "__main__":
    uvloop.run(_main([int(port) for port in sys.argv[1:]]))
