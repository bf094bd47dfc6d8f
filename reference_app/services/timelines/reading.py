"""Home read: ids, tweets, authors; what cannot be fetched is dropped and the page says so."""

from __future__ import annotations

from collections.abc import Sequence

from reference_app.contract.api import Page, Tweet
from reference_app.kit import errors
from reference_app.services.timelines import domain
from reference_app.services.timelines.peers import Peers
from reference_app.services.timelines.people import People
from reference_app.services.timelines.rebuilding import FAILURES, Rebuilding, Timeline
from reference_app.services.timelines.store import Lists

HEAD = 79
"""Last index read for a first page: four pages deep, so that late deliveries at the head hardly push the newest out."""
ROUNDS = 3


class Reading:
    """Serves home pages."""

    def __init__(self, lists: Lists, peers: Peers, people: People, rebuilding: Rebuilding) -> None:
        self._lists, self._peers, self._people, self._rebuilding = lists, peers, people, rebuilding

    async def home(self, user_id: int, *, limit: int, cursor: int | None) -> Page:
        """A page of at most `limit` tweets older than the cursor."""
        timeline = await self._timeline(user_id, cursor)
        missing = {} if timeline.complete else {"timeline": 1}
        waiting = domain.candidates(timeline.ids, cursor)
        shown: list[Tweet] = []
        for _ in range(ROUNDS):
            batch, waiting = waiting[: limit - len(shown)], waiting[limit - len(shown) :]
            if not batch:
                break
            shown += await self._hydrate(user_id, batch, missing)
            last = batch[-1]
        next_cursor = last if waiting else None
        return domain.page(shown, await self._handles(shown), next_cursor=next_cursor, missing=missing)

    async def forget(self, user_id: int) -> None:
        """Drop the list; the next read rebuilds it."""
        self._people.forget(user_id)
        await self._lists.forget(user_id)

    async def _timeline(self, user_id: int, cursor: int | None) -> Timeline:
        try:
            ids = await self._lists.read(user_id, last_index=HEAD if cursor is None else -1)
        except errors.CallError:
            ids = None
        return await self._rebuilding.rebuild(user_id) if ids is None else Timeline(ids, complete=True)

    async def _hydrate(self, user_id: int, tweet_ids: Sequence[int], missing: dict[str, int]) -> list[Tweet]:
        try:
            found = await self._peers.multiget(tweet_ids)
        except FAILURES:
            _add(missing, "tweets", len(tweet_ids))
            return []
        _add(missing, "tweets", len(found.unavailable))
        followed = await self._followed(user_id, found.tweets)
        _add(missing, "graph", int(followed is None))
        return domain.visible(found.tweets, followed)

    async def _followed(self, user_id: int, tweets: Sequence[Tweet]) -> frozenset[int] | None:
        if not tweets:
            return frozenset()
        try:
            return await self._people.followed_among(user_id, sorted({tweet.user_id for tweet in tweets}))
        except FAILURES:
            return None

    async def _handles(self, tweets: Sequence[Tweet]) -> dict[int, str] | None:
        if not tweets:
            return {}
        try:
            return await self._people.handles(sorted({tweet.user_id for tweet in tweets}))
        except FAILURES:
            return None


def _add(missing: dict[str, int], kind: str, count: int) -> None:
    if count:
        missing[kind] = missing.get(kind, 0) + count
