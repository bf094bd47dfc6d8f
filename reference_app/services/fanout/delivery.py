"""Delivers one tweet to all followers, piece by piece; a cache that stays away is emptied instead, under a new epoch, which makes its lists misses.

Tweets of celebrities, authors over the threshold, are merged when a home page is read; `threshold` says what happens when it changes.
Every follower gets every other tweet, replies to strangers included.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import Mapping

import msgspec

from reference_app.contract import metrics, storage
from reference_app.contract.api import FollowersPage, Internal
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors, http
from reference_app.kit.cache import Cache, Script
from reference_app.kit.deciders import Deciders
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.membership import Membership
from reference_app.services.fanout import domain

logger = logging.getLogger(__name__)
RETRY_SECONDS, RETRY_MAX_SECONDS = 0.1, 1.0
GRAPH_SECONDS = 1.0
IN_FLIGHT = 4
"""Script calls to one cache at a time, of all deliveries: enough that it never waits for us, and a reader waits for 1 ms of them at most."""


class Delivery:
    """Idempotent: a list holds an id once, at its place, however often and late it is delivered."""

    def __init__(
        self,
        caches: Mapping[str, Cache],
        membership: Membership,
        graph: http.Group,
        *,
        deciders: Deciders,
        failpoints: Failpoints,
        recorder: Recorder,
        profile: Profile = LAB,
    ) -> None:
        self._caches, self._membership, self._graph = caches, membership, graph
        self._deciders, self._failpoints, self._recorder, self._profile = deciders, failpoints, recorder, profile
        self._script = Script(storage.script("deliver"), storage.TIMELINE_EPOCH_KEY)
        self._invalidate = Script(storage.script("invalidate"), storage.TIMELINE_EPOCH_KEY)
        self._slots = {name: asyncio.Semaphore(IN_FLIGHT) for name in caches}
        self._emptying, self._emptied_at = {name: asyncio.Lock() for name in caches}, dict.fromkeys(caches, float("-inf"))
        self._process, self._attempts = secrets.token_hex(6), itertools.count()

    async def followers(self, user_id: int, after: int = 0) -> FollowersPage:
        """A page of followers. Raises CallError or AppError when the graph does not answer."""
        path = Internal.FOLLOWERS.format(user_id=user_id)
        page: FollowersPage = await self._graph.json(
            "GET", f"{path}?after={after}&limit={domain.PAGE}", route=Internal.FOLLOWERS, shape=FollowersPage, limit=GRAPH_SECONDS
        )
        return page

    async def deliver(self, event: storage.TweetEvent, first: FollowersPage) -> bool:
        """Push to all followers, of a celebrity to none. False when some cache was given up on, and emptied."""
        if (first.count or 0) > self._deciders.value("celebrity_followers"):
            self._recorder.count(metrics.DELIVERIES, "celebrity")
            return True
        attempt, gave_up = f"{self._process}-{next(self._attempts)}", dict[str, float]()
        page = first
        while page.next_after is not None:  # the next page is asked for while one is delivered
            following = self.followers(event.user_id, page.next_after)
            page, _ = await asyncio.gather(following, self._deliver_page(event, attempt, page.ids, gave_up))
        await self._deliver_page(event, attempt, page.ids, gave_up)
        for node, at in gave_up.items():
            await self._forget(node, since=at)
        self._recorder.observe(metrics.DELIVERY_SECONDS, time.time() - event.acknowledged_ms / 1000)
        return not gave_up

    async def _deliver_page(self, event: storage.TweetEvent, attempt: str, page: list[int], gave_up: dict[str, float]) -> None:
        """All pieces side by side."""
        chunks = [(node, users) for node, users in domain.chunks_by_node(self._membership.ring, page) if node not in gave_up]
        pieces = [self._persist(node, event, attempt, users) for node, users in chunks]
        done = [await pieces[0]] if len(pieces) == 1 else await asyncio.gather(*pieces)
        gave_up.update((node, time.monotonic()) for (node, _), persisted in zip(chunks, done, strict=True) if not persisted)

    async def _persist(self, node: str, event: storage.TweetEvent, attempt: str, users: list[int]) -> bool:
        give_up_at, pause = time.monotonic() + self._profile.delivery_give_up, RETRY_SECONDS
        cache, encoded = self._caches[node], msgspec.json.encode(users)
        while self._serves(node):
            try:
                async with self._slots[node]:
                    pushed = await cache.script("deliver", self._script, _arguments(event, attempt, encoded))
            except errors.CallError:
                if time.monotonic() >= give_up_at:
                    return False
                await asyncio.sleep(pause)
                attempt, pause = "", min(RETRY_MAX_SECONDS, 2 * pause)
            else:
                self._recorder.count(metrics.DELIVERIES, "pushed", by=pushed)
                self._recorder.count(metrics.DELIVERIES, "absent", by=len(users) - pushed)
                self._failpoints.hit("fanout.mid_batch")
                return True
        return True

    def _serves(self, node: str) -> bool:
        """False when it left the ring: whoever has its users now reads their timelines from the source, and it is emptied if it joins again."""
        return node in self._membership.ring.nodes

    async def _forget(self, node: str, *, since: float) -> None:
        """Empty the cache unless that was done after `since`; retried until it succeeds: only then may the event be acknowledged.

        Many deliveries give up on a cache at once. What empties it for one does so for all that had given up by then.
        """
        async with self._emptying[node]:
            while self._serves(node) and self._emptied_at[node] < since:
                started = time.monotonic()
                try:
                    epoch = await self._caches[node].script("invalidate", self._invalidate, [])
                except errors.CallError:
                    await asyncio.sleep(RETRY_MAX_SECONDS)
                else:
                    self._emptied_at[node] = started
                    logger.warning("gave up on %s, which is empty now, under epoch %d: its lists will be rebuilt", node, epoch)


def _arguments(event: storage.TweetEvent, attempt: str, users: bytes) -> list[int | str | bytes]:
    return [event.tweet_id, attempt, storage.TIMELINE_TRIM_AT, storage.TIMELINE_LENGTH, users]
