"""Home read: ids of the list and of celebrities, then tweets and authors; what cannot be fetched is dropped and the page says so.

Replies that are shown while their original is not there yet are counted: a large fan-out takes longer than a small one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reference_app.contract import metrics
from reference_app.contract.api import MAX_ID
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.pages import PublicPage
from reference_app.services.timelines import domain
from reference_app.services.timelines.domain import Circle, Timeline, Window
from reference_app.services.timelines.hydrating import FAILURES, Hydrated, Hydrating, Missing
from reference_app.services.timelines.peers import Peers
from reference_app.services.timelines.people import People
from reference_app.services.timelines.rebuilding import Rebuilding
from reference_app.services.timelines.store import Lists

ROUNDS = 3
"""Batches that are hydrated to fill a page."""


class Reading:
    """Serves home pages."""

    def __init__(self, lists: Lists, peers: Peers, people: People, rebuilding: Rebuilding, *, recorder: Recorder) -> None:
        self._lists, self._peers, self._people, self._rebuilding = lists, peers, people, rebuilding
        self._hydrating, self._recorder = Hydrating(peers, people), recorder

    async def home(self, user_id: int, *, limit: int, cursor: int | None) -> PublicPage:
        """A page of at most `limit` tweets older than the cursor."""
        missing: Missing = Counter()
        asked = domain.READ_AHEAD * limit
        timeline = await self._timeline(user_id, cursor, asked)
        if not timeline.complete and not timeline.ids:
            return domain.page((), {}, {}, next_cursor=None, missing={"timeline": 1})
        missing["timeline"] += not timeline.complete
        circle = await self._circle(user_id, missing)
        merged = await self._merged(circle, asked, cursor, missing)
        window = domain.window(timeline, merged, asked=asked, cursor=cursor)
        (tweets, originals), used = await self._filled(user_id, circle, window, limit, missing)
        handles = await self._hydrating.handles(tweets, originals)
        if circle and not missing.total():
            await self._count_orphans(user_id, circle, domain.orphans(tweets, timeline, merged, window))
        next_cursor = window.ids[used - 1] if used and (used < len(window.ids) or window.more) else None
        return domain.page(tweets, originals, handles, next_cursor=next_cursor, missing=+missing)

    async def forget(self, user_id: int) -> None:
        """Drop the list; the next read rebuilds it."""
        self._people.forget(user_id)
        self._rebuilding.forget(user_id)
        await self._lists.forget(user_id)

    async def _timeline(self, user_id: int, cursor: int | None, asked: int) -> Timeline:
        try:
            found = await self._lists.read(user_id, last_index=asked - 1 if cursor is None else -1)
        except errors.CallError:
            found = None
        if found is None:
            return await self._rebuilding.rebuild(user_id)
        ids, complete = found
        return Timeline(ids, complete, whole=cursor is not None or len(ids) < asked)

    async def _circle(self, user_id: int, missing: Missing) -> Circle | None:
        try:
            return await self._people.circle(user_id)
        except FAILURES:
            missing["graph"] += 1
            return None

    async def _merged(self, circle: Circle | None, asked: int, cursor: int | None, missing: Missing) -> Sequence[int]:
        """Newest ids of the celebrities that the user follows; none, and nothing is asked, when there is no celebrity."""
        if circle is None or circle.celebrities == ():
            return ()
        if circle.celebrities is None:
            missing["celebrities"] += 1
            return ()
        try:
            found = await self._peers.newest_of(circle.celebrities, asked, before=MAX_ID if cursor is None else cursor)
        except FAILURES:
            missing["celebrities"] += len(circle.celebrities)
            return ()
        self._recorder.count(metrics.CELEBRITY_MERGES)
        missing["celebrities"] += 0 if found.complete else len(circle.celebrities)
        return found.ids

    async def _filled(self, user_id: int, circle: Circle | None, window: Window, limit: int, missing: Missing) -> tuple[Hydrated, int]:
        """The newest of the window that the user may see, and how many of its ids were used for that.

        What is deleted or hidden is made up for by older ones; what could not be fetched is not: the page is partial anyway, and asking for
        more would triple the load of those who cannot answer the first time.
        """
        filled = Hydrated([], {})
        used = 0
        for _ in range(ROUNDS):
            batch = window.ids[used : used + limit - len(filled.tweets)]
            if not batch:
                break
            tweets, originals = await self._hydrating.tweets(user_id, circle, batch, missing)
            filled.tweets.extend(tweets)
            filled.originals.update(originals)
            used += len(batch)
            if missing["tweets"]:
                break
        return filled, used

    async def _count_orphans(self, user_id: int, circle: Circle, orphans: Sequence[int]) -> None:
        if not orphans:
            return
        if count := await self._hydrating.by_followed(user_id, circle, orphans):
            self._recorder.count(metrics.REPLIES_BEFORE_ORIGINAL, by=count)
