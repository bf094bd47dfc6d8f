"""Rebuild on a miss: one execution per user, bounded in number, merged with what fan-out pushes meanwhile."""

from __future__ import annotations

import asyncio

from reference_app.contract import metrics, storage
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.single_flight import SingleFlight
from reference_app.services.timelines.domain import Timeline
from reference_app.services.timelines.hydrating import FAILURES
from reference_app.services.timelines.peers import Peers
from reference_app.services.timelines.people import People
from reference_app.services.timelines.store import Lists

CONCURRENT = 16


class Rebuilding:
    """Reads followees and their newest tweets. A list that could not be stored still serves the page that asked."""

    def __init__(
        self, lists: Lists, peers: Peers, people: People, *, failpoints: Failpoints, recorder: Recorder, profile: Profile = LAB
    ) -> None:
        self._lists, self._peers, self._people = lists, peers, people
        self._failpoints, self._recorder, self._profile = failpoints, recorder, profile
        self._flights: SingleFlight[Timeline] = SingleFlight()
        self._slots = asyncio.Semaphore(CONCURRENT)

    async def rebuild(self, user_id: int) -> Timeline:
        """The user's timeline from its sources."""
        return await self._flights.run(user_id, lambda: self._rebuild(user_id))

    def forget(self, user_id: int) -> None:
        """Whom the user follows has changed: a rebuild that is under way may have read what was, so nobody joins it and it stores nothing."""
        self._flights.drop(user_id)

    async def _rebuild(self, user_id: int) -> Timeline:
        async with self._slots:
            epoch = await self._begin(user_id)
            self._failpoints.hit("timeline.during_rebuild")
            timeline = await self._from_sources(user_id)
            if epoch is not None and not self._flights.dropped(user_id):
                await self._store(user_id, epoch, timeline)
        self._recorder.count(metrics.REBUILDS, "complete" if timeline.complete else "partial")
        return timeline

    async def _begin(self, user_id: int) -> int | None:
        try:
            return await self._lists.begin(user_id)
        except FAILURES:
            return None

    async def _from_sources(self, user_id: int) -> Timeline:
        try:
            followees = sorted((await self._people.circle_now(user_id)).followees)
            if not followees:
                return Timeline([], complete=True)
            newest = await self._peers.newest_of(followees, storage.TIMELINE_LENGTH)
        except FAILURES:
            return Timeline([], complete=False)
        return Timeline(newest.ids, newest.complete)

    async def _store(self, user_id: int, epoch: int, timeline: Timeline) -> None:
        ttl_s = 0 if timeline.complete else self._profile.partial_timeline_ttl
        try:
            await self._lists.merge(user_id, epoch, timeline.ids, ttl_s=ttl_s)
        except FAILURES:
            return
