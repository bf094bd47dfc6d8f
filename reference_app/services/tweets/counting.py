"""Moves changes of likes and retweets to their counters in the key-value tier: each at least once, and counted once by the name of its operation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from reference_app.contract import api, keyvalue, metrics
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import tasks, tracing
from reference_app.kit.keyvalue import KeyValue
from reference_app.kit.shard import Shard
from reference_app.services.tweets import deltas
from reference_app.services.tweets.deltas import Delta

BATCH, POLL_SECONDS, CALL_SECONDS = 200, 2.0, 0.5


class Counting:
    """One loop per shard and process. Nothing is locked: two that move the same change at once count it once, and forgetting is idempotent."""

    def __init__(self, shards: Sequence[Shard], counters: KeyValue, *, recorder: Recorder) -> None:
        self._counters, self._recorder = counters, recorder
        self._wake = {shard.index: asyncio.Event() for shard in shards}

    def wake(self, shard_index: int) -> None:
        """Something was liked or retweeted, or no longer."""
        self._wake[shard_index].set()

    async def run(self, shard: Shard) -> None:
        """Move until cancelled, or until the shard or the tier does not answer (CallError)."""
        while True:
            waiting = await shard.primary.read("list_deltas", lambda session: deltas.oldest(session, BATCH))
            await self._export(shard, len(waiting))
            if waiting:
                await asyncio.create_task(self._move(shard, waiting))
            if len(waiting) < BATCH:
                await tasks.rest(self._wake[shard.index], POLL_SECONDS)

    async def _move(self, shard: Shard, waiting: Sequence[Delta]) -> None:
        """In a task of its own, under the trace of the first change whose trace is sampled: a batch has many."""
        traces = (tracing.parse(delta.traceparent) for delta in waiting)
        tracing.current.set(next((trace for trace in traces if trace is not None and trace.sampled), None))
        additions = [api.Addition(delta.key, delta.by, delta.operation(shard.name)) for delta in waiting]
        await self._counters.add(keyvalue.COUNTS, additions, limit=CALL_SECONDS)
        await shard.primary.write("forget_deltas", lambda session: deltas.forget(session, [delta.id for delta in waiting]))

    async def _export(self, shard: Shard, found: int) -> None:
        behind = found if found < BATCH else await shard.primary.read("count_deltas", deltas.count)
        self._recorder.gauge(metrics.COUNTS_BEHIND, behind, shard.name)
