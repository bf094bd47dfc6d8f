"""What timelines asks of other services, each as one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reference_app.contract.api import MAX_ID, ByUsers, Following, Ids, Internal, Profiles, TweetIds, Tweets
from reference_app.kit import http

CALL_SECONDS = 1.0
FOLLOWEES_MAX = 1000
"""Followees whose tweets a rebuild reads (home-mixer: 1,000)."""


@dataclass(frozen=True)
class Peers:
    """Calls raise CallError or AppError when the service does not answer."""

    tweets: http.Group
    users: http.Group
    graph: http.Group

    async def multiget(self, tweet_ids: Sequence[int]) -> Tweets:
        """The tweets, with the deleted and the unavailable ones apart."""
        value = Ids(list(tweet_ids))
        answer: Tweets = await self.tweets.json(
            "POST", Internal.MULTIGET, route=Internal.MULTIGET, value=value, shape=Tweets, limit=CALL_SECONDS
        )
        return answer

    async def newest_of(self, user_ids: Sequence[int], limit: int, *, before: int = MAX_ID) -> TweetIds:
        """Newest ids of the authors, below `before`."""
        value = ByUsers(list(user_ids), limit, before)
        answer: TweetIds = await self.tweets.json(
            "POST", Internal.BY_USERS, route=Internal.BY_USERS, value=value, shape=TweetIds, limit=CALL_SECONDS
        )
        return answer

    async def handles(self, user_ids: Sequence[int]) -> dict[int, str]:
        """Handles by user id."""
        value = Ids(list(user_ids))
        answer: Profiles = await self.users.json(
            "POST", Internal.PROFILES, route=Internal.PROFILES, value=value, shape=Profiles, limit=CALL_SECONDS
        )
        return {user.id: user.handle for user in answer.users}

    async def following(self, user_id: int, *, celebrity_over: int) -> Following:
        """Whom the user follows, at most FOLLOWEES_MAX of them."""
        path = f"{Internal.FOLLOWEES.format(user_id=user_id)}?limit={FOLLOWEES_MAX}&celebrity_over={celebrity_over}"
        answer: Following = await self.graph.json("GET", path, route=Internal.FOLLOWEES, shape=Following, limit=CALL_SECONDS)
        return answer

    async def followed_among(self, user_id: int, authors: Sequence[int]) -> set[int]:
        """Those of the authors that the user follows."""
        path = Internal.AMONG.format(user_id=user_id)
        answer: Ids = await self.graph.json("POST", path, route=Internal.AMONG, value=Ids(list(authors)), shape=Ids, limit=CALL_SECONDS)
        return set(answer.ids)
