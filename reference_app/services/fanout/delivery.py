"""Delivers one tweet to all followers, piece by piece; a cache that stays away gets its epoch bumped instead, which makes its lists misses.

Tweets of celebrities, authors over the threshold, are merged when a home page is read; `threshold` says what happens when it changes.
Every follower gets every other tweet, replies to strangers included.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping

from reference_app.contract import metrics, storage
from reference_app.contract.api import FollowersPage, Internal
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors, http
from reference_app.kit.cache import Cache, Script
from reference_app.kit.deciders import Deciders
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.ring import Ring
from reference_app.services.fanout import domain

logger = logging.getLogger(__name__)
RETRY_SECONDS, RETRY_MAX_SECONDS = 0.1, 1.0
GRAPH_SECONDS = 1.0


class Delivery:
    """Idempotent: a list holds an id once, at its place, however often and late it is delivered."""

    def __init__(
        self,
        caches: Mapping[str, Cache],
        graph: http.Group,
        *,
        deciders: Deciders,
        failpoints: Failpoints,
        recorder: Recorder,
        profile: Profile = LAB,
    ) -> None:
        self._caches, self._graph, self._ring = caches, graph, Ring(list(caches))
        self._deciders, self._failpoints, self._recorder, self._profile = deciders, failpoints, recorder, profile
        self._script = Script(storage.script("deliver"), storage.TIMELINE_EPOCH_KEY)

    async def followers(self, user_id: int, after: int = 0) -> FollowersPage:
        """A page of followers. Raises CallError or AppError when the graph does not answer."""
        path = Internal.FOLLOWERS.format(user_id=user_id)
        page: FollowersPage = await self._graph.json(
            "GET", f"{path}?after={after}&limit={domain.PAGE}", route=Internal.FOLLOWERS, shape=FollowersPage, limit=GRAPH_SECONDS
        )
        return page

    async def deliver(self, event: storage.TweetEvent, first: FollowersPage) -> bool:
        """Push to all followers, of a celebrity to none. False when some cache was given up on (its epoch was bumped)."""
        if (first.count or 0) > self._deciders.value("celebrity_followers"):
            self._recorder.count(metrics.DELIVERIES, "celebrity")
            return True
        gave_up: set[str] = set()
        async for page in self._pages(event.user_id, first):
            for node, users in domain.chunks_by_node(self._ring, page):
                if node not in gave_up and not await self._persist(self._caches[node], event, users):
                    gave_up.add(node)
                self._failpoints.hit("fanout.mid_batch")
        for node in gave_up:
            await self._bump_epoch(self._caches[node])
        self._recorder.observe(metrics.DELIVERY_SECONDS, time.time() - event.acknowledged_ms / 1000)
        return not gave_up

    async def _pages(self, user_id: int, first: FollowersPage) -> AsyncIterator[list[int]]:
        page = first
        while True:
            yield page.ids
            if page.next_after is None:
                return
            page = await self.followers(user_id, page.next_after)

    async def _persist(self, cache: Cache, event: storage.TweetEvent, users: list[int]) -> bool:
        give_up_at, pause = time.monotonic() + self._profile.delivery_give_up, RETRY_SECONDS
        while True:
            try:
                pushed = await cache.script("deliver", self._script, self._arguments(event, users))
            except errors.CallError as error:
                if time.monotonic() >= give_up_at:
                    logger.warning("gave up on %s after %.0f s: %s", cache.peer, self._profile.delivery_give_up, error)
                    return False
                await asyncio.sleep(pause)
                pause = min(RETRY_MAX_SECONDS, 2 * pause)
            else:
                self._recorder.count(metrics.DELIVERIES, "pushed", by=pushed)
                self._recorder.count(metrics.DELIVERIES, "absent", by=len(users) - pushed)
                return True

    async def _bump_epoch(self, cache: Cache) -> None:
        """Retried until it succeeds: only then may the event be acknowledged."""
        while True:
            try:
                await cache.run("INCR", lambda client: client.incr(storage.TIMELINE_EPOCH_KEY))
            except errors.CallError:
                await asyncio.sleep(RETRY_MAX_SECONDS)
            else:
                logger.warning("%s: epoch bumped, its lists will be rebuilt", cache.peer)
                return

    def _arguments(self, event: storage.TweetEvent, users: list[int]) -> list[int]:
        return [event.tweet_id, storage.TIMELINE_TRIM_AT, storage.TIMELINE_LENGTH, *users]
