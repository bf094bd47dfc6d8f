"""Finishes what was interrupted: edges without their mirror, blocks between users that still follow one another."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Sequence

from reference_app.kit import errors
from reference_app.kit.shard import Shard
from reference_app.services.graph import store
from reference_app.services.graph.changing import Changing
from reference_app.services.graph.domain import Edge

logger = logging.getLogger(__name__)
EVERY_SECONDS = 1.0
BATCH = 500
_FIRST = Edge(0, 0)


class Repairing:
    """Reads the forward row as it is now, so a repair is right whenever it comes and however often; several processes may repair at once."""

    def __init__(self, shards: Sequence[Shard], changing: Changing) -> None:
        self._shards, self._changing = shards, changing

    async def run(self) -> None:
        """Repair until cancelled."""
        while True:
            for shard in self._shards:
                await _attempt(self._repair(shard), shard.primary.peer)
            await asyncio.sleep(EVERY_SECONDS)

    async def _repair(self, shard: Shard) -> None:
        for blocker_id, blocked_id in await shard.primary.read("pending_blocks", lambda session: store.pending_blocks(session, BATCH)):
            await _attempt(self._changing.settle_block(blocker_id, blocked_id), f"block of {blocked_id} by {blocker_id}")
        after = _FIRST
        while found := await shard.primary.read("pending_edges", functools.partial(store.pending, after=after, limit=BATCH)):
            for edge, state in found:
                await _attempt(self._changing.mirror(edge, state), f"{edge.follower_id} follows {edge.followee_id}")
            after = found[-1][0]


async def _attempt(work: Awaitable[object], subject: str) -> None:
    """What fails is tried again in the next round; the rest must not wait for it."""
    try:
        await work
    except errors.CallError as error:
        logger.warning("not repaired yet: %s: %s", subject, error)
