"""Follows, unfollows and blocks: the forward row first, then its mirror on the followee's shard.

A change is acknowledged when both rows are written. When the mirror could not be written the answer is `indeterminate` or `unavailable`,
the change is seen by whoever asks whom the follower follows, not yet by fan-out, and `repairing` finishes it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from reference_app.contract import storage
from reference_app.kit.shard import Shard
from reference_app.kit.sql import Session
from reference_app.services.graph import domain, store
from reference_app.services.graph.domain import Edge, State


class Changing:
    """Raises CallError when a primary does not answer. Everything may be repeated; nothing depends on the order in which mirrors arrive."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self._shards = shards

    async def follow(self, edge: Edge) -> None:
        """Raises AppError forbidden when either blocks the other. A block that is written at the same time wins."""
        for one, other in (edge, edge[::-1]):
            found, _ = await self._shard(one).read("find_block", functools.partial(store.blocks, blocker_id=one, blocked_id=other))
            if found:
                raise domain.blocked()
        if not await self._change(edge, active=True):
            raise domain.blocked()

    async def unfollow(self, edge: Edge) -> None:
        """No change when there is no such edge."""
        await self._change(edge, active=False)

    async def block(self, blocker_id: int, blocked_id: int) -> None:
        """Block, and end the follows in both directions."""
        await self._shard(blocker_id).primary.write("add_block", lambda session: store.add_block(session, blocker_id, blocked_id))
        await self.settle_block(blocker_id, blocked_id)

    async def settle_block(self, blocker_id: int, blocked_id: int) -> None:
        """End the follows between the two."""
        await self.unfollow(Edge(blocker_id, blocked_id))
        await self.unfollow(Edge(blocked_id, blocker_id))
        await self._shard(blocker_id).primary.write("settle_block", lambda session: store.settle_block(session, blocker_id, blocked_id))

    async def unblock(self, blocker_id: int, blocked_id: int) -> None:
        """No change when there is no such block."""
        await self._shard(blocker_id).primary.write("remove_block", lambda session: store.remove_block(session, blocker_id, blocked_id))

    async def mirror(self, edge: Edge, state: State) -> bool:
        """Write the backward row. False when the followee blocks the follower: then the follow is ended instead."""
        home, away = self._shard(edge.follower_id), self._shard(edge.followee_id)
        if not await away.primary.write("mirror_edge", lambda session: _mirror(session, edge, state)):
            await self.unfollow(edge)
            return False
        await home.primary.write("clear_pending", lambda session: store.clear_pending(session, edge, state))
        return True

    async def _change(self, edge: Edge, *, active: bool) -> bool:
        home, away = self._shard(edge.follower_id), self._shard(edge.followee_id)

        async def work(session: Session) -> State | None:
            state = await store.set_forward(session, edge, active=active)
            if active and await store.blocks(session, *edge):
                raise domain.blocked()
            if state and home is away and not await _mirror(session, edge, state):
                raise domain.blocked()
            if state and home is not away:
                await store.add_pending(session, edge, state)
            return state

        state = await home.primary.write("set_edge", work)
        return state is None or home is away or await self.mirror(edge, state)

    def _shard(self, user_id: int) -> Shard:
        return self._shards[storage.graph_shard(user_id, len(self._shards))]


async def _mirror(session: Session, edge: Edge, state: State) -> bool:
    if state.active and await store.blocks(session, edge.followee_id, edge.follower_id):
        return False
    await store.set_backward(session, edge, state)
    return True
