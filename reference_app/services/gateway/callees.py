"""The services behind the gateway, as calls that either answer or raise the AppError that the user gets."""

from __future__ import annotations

import logging
import urllib.parse
from collections.abc import Sequence
from typing import Any

from reference_app.contract import api, keyvalue
from reference_app.contract.profile import LAB
from reference_app.kit import errors, http
from reference_app.kit.keyvalue import KeyValue
from reference_app.services.gateway import domain

logger = logging.getLogger(__name__)
_SIDE_STEP_SECONDS = LAB.home_deadline / 4
"""Limit of a step whose failure leaves a worse answer rather than none."""


class Callees:
    """One group of instances per service."""

    def __init__(
        self, *, tweets: http.Group, users: http.Group, graph: http.Group, timelines: http.Group, search: http.Group, keyvalue: http.Group
    ) -> None:
        self._tweets, self._users, self._graph, self._timelines, self._search = tweets, users, graph, timelines, search
        self._keyvalue = KeyValue(keyvalue)

    async def register(self, credentials: api.Credentials) -> domain.PublicUser:
        user = await _write(self._users, "POST", api.Internal.REGISTER, value=credentials, shape=api.Profile)
        return domain.PublicUser(str(user.id), user.handle)

    async def log_in(self, credentials: api.Credentials) -> api.Token:
        token: api.Token = await _read(self._users, "POST", api.Internal.LOGIN, value=credentials, shape=api.Token)
        return token

    async def handles(self, user_ids: Sequence[int], *, limit: float = LAB.home_deadline) -> dict[int, str]:
        """Handles of those users that exist."""
        asked = api.Ids(list(user_ids))
        profiles = await _read(self._users, "POST", api.Internal.PROFILES, value=asked, shape=api.Profiles, limit=limit)
        return {user.id: user.handle for user in profiles.users}

    async def handles_if_any(self, user_ids: Sequence[int]) -> dict[int, str] | None:
        """`handles`, or None when the users service cannot be asked soon."""
        try:
            return await self.handles(user_ids, limit=_SIDE_STEP_SECONDS)
        except errors.AppError as error:
            logger.warning("page without handles: %s", error.message)
            return None

    async def user_of_handle(self, handle: str) -> domain.PublicUser:
        quoted = urllib.parse.quote(handle, safe="")
        user = await _read(self._users, "GET", api.Internal.BY_HANDLE, shape=api.Profile, handle=quoted)
        return domain.PublicUser(str(user.id), user.handle)

    async def post(self, new: api.NewTweet) -> api.Created:
        """Also a retweet. Its key and its original are then settled by the tweets service."""
        created: api.Created = await _write(self._tweets, "POST", api.Internal.CREATE, value=new, shape=api.Created)
        return created

    async def delete(self, *, tweet_id: int, user_id: int) -> None:
        await _write(self._tweets, "DELETE", api.Internal.TWEET, query=f"?user_id={user_id}", tweet_id=tweet_id)

    async def like(self, *, tweet_id: int, user_id: int) -> None:
        await _write(self._tweets, "PUT", api.Internal.LIKE, tweet_id=tweet_id, user_id=user_id)

    async def unlike(self, *, tweet_id: int, user_id: int) -> None:
        await _write(self._tweets, "DELETE", api.Internal.LIKE, tweet_id=tweet_id, user_id=user_id)

    async def tweet(self, tweet_id: int, *, own: str = "") -> api.Tweet:
        query = f"?own={own}" if own else ""
        tweet: api.Tweet = await _read(self._tweets, "GET", api.Internal.TWEET, query=query, shape=api.Tweet, tweet_id=tweet_id)
        return tweet

    async def counts_if_any(self, tweet_id: int) -> domain.Counts | None:
        """None when the key-value tier cannot be asked soon."""
        keys = keyvalue.likes_key(tweet_id), keyvalue.retweets_key(tweet_id)
        try:
            found = await self._keyvalue.values(keyvalue.COUNTS, keys, limit=_SIDE_STEP_SECONDS)
        except errors.CallError as error:
            logger.warning("tweet without its counts: %s", error)
            return None
        likes, retweets = (int(found.values.get(key, 0)) for key in keys)
        return domain.Counts(likes, retweets)

    async def tweet_ids(self, user_id: int, *, limit: int, before: int | None, own: str) -> api.TweetIds:
        value = api.ByUsers([user_id], limit, before or api.MAX_ID, own)
        found: api.TweetIds = await _read(self._tweets, "POST", api.Internal.BY_USERS, value=value, shape=api.TweetIds)
        return found

    async def tweets(self, tweet_ids: Sequence[int], *, own: str = "") -> api.Tweets:
        if not tweet_ids:
            return api.Tweets([], [], [])
        asked = api.Ids(list(tweet_ids), own)
        tweets: api.Tweets = await _read(self._tweets, "POST", api.Internal.MULTIGET, value=asked, shape=api.Tweets)
        return tweets

    async def originals(self, tweets: Sequence[api.Tweet]) -> api.Tweets:
        """What the retweets among them show; all unavailable when the tweets service cannot be asked."""
        wanted = sorted({tweet.retweet_of for tweet in tweets if tweet.retweet_of is not None})
        try:
            return await self.tweets(wanted)
        except errors.AppError as error:
            logger.warning("page without the originals of its retweets: %s", error.message)
            return api.Tweets([], [], wanted)

    async def home(self, user_id: int, *, limit: int, cursor: int | None) -> bytes:
        """The page, encoded (kit.pages)."""
        wanted = [] if limit == api.PAGE_DEFAULT else [f"limit={limit}"]
        wanted += [] if cursor is None else [f"cursor={cursor}"]
        query = f"?{'&'.join(wanted)}" if wanted else ""
        page: bytes = await _read(self._timelines, "GET", api.Internal.HOME, query=query, shape=bytes, user_id=user_id)
        return page

    async def search(self, query: str, *, limit: int, before: int | None) -> api.TweetIds:
        parameters = urllib.parse.urlencode({"q": query, "limit": limit, "before": before or api.MAX_ID})
        found: api.TweetIds = await _read(self._search, "GET", api.Internal.SEARCH, query=f"?{parameters}", shape=api.TweetIds)
        return found

    async def trends(self, limit: int) -> api.Trends:
        trends: api.Trends = await _read(self._search, "GET", api.Internal.TRENDS, query=f"?limit={limit}", shape=api.Trends)
        return trends

    async def follow(self, *, follower_id: int, followee_id: int) -> None:
        await _write(self._graph, "PUT", api.Internal.EDGE, follower_id=follower_id, followee_id=followee_id)

    async def unfollow(self, *, follower_id: int, followee_id: int) -> None:
        await _write(self._graph, "DELETE", api.Internal.EDGE, follower_id=follower_id, followee_id=followee_id)

    async def block(self, *, blocker_id: int, blocked_id: int) -> None:
        await _write(self._graph, "PUT", api.Internal.BLOCK, blocker_id=blocker_id, blocked_id=blocked_id)

    async def unblock(self, *, blocker_id: int, blocked_id: int) -> None:
        await _write(self._graph, "DELETE", api.Internal.BLOCK, blocker_id=blocker_id, blocked_id=blocked_id)

    async def following(self, user_id: int) -> api.Following:
        found: api.Following = await _read(self._graph, "GET", api.Internal.FOLLOWEES, shape=api.Following, user_id=user_id)
        return found

    async def who_to_follow(self, user_id: int) -> list[int]:
        """Best first; nobody when nobody was computed for the user. Raises AppError, as the two below do."""
        found = await self._stored(keyvalue.WHO_TO_FOLLOW, [str(user_id)])
        return [int(other) for other in str(found.get(str(user_id), "")).split(",") if other]

    async def dismissed(self, user_id: int, others: Sequence[int]) -> set[int]:
        """Those whom the user does not want to be shown."""
        keys = {keyvalue.dismissed_key(user_id, other): other for other in others}
        return {keys[key] for key in await self._stored(keyvalue.DISMISSED, list(keys))}

    async def dismiss(self, user_id: int, other_id: int) -> None:
        try:
            await self._keyvalue.put(keyvalue.DISMISSED, {keyvalue.dismissed_key(user_id, other_id): "1"}, limit=LAB.post_deadline)
        except errors.CallError as error:
            raise domain.over_capacity(error) or errors.answer_to(error, writing=True) from error

    async def _stored(self, dataset: keyvalue.Dataset, keys: Sequence[str]) -> dict[str, int | str]:
        try:
            return (await self._keyvalue.values(dataset, keys, limit=_SIDE_STEP_SECONDS)).values
        except errors.CallError as error:
            raise domain.over_capacity(error) or domain.read_failure(error) from error

    async def forget_home(self, user_id: int) -> None:
        """On every instance, because each remembers whom the user follows. Best effort: where it fails, the old edges show for some seconds."""
        path = api.Internal.HOME.format(user_id=user_id)
        for failure in await self._timelines.each("DELETE", path, route=api.Internal.HOME, limit=_SIDE_STEP_SECONDS):
            logger.warning("the home timeline of %d was not forgotten: %s", user_id, failure)


async def _read(
    group: http.Group, method: str, route: str, *, query: str = "", value: object = None, shape: type[Any],
    limit: float = LAB.home_deadline, **names: int | str,
) -> Any:  # fmt: skip
    try:
        return await group.json(method, route.format(**names) + query, route=route, value=value, shape=shape, limit=limit)
    except errors.CallError as error:
        raise domain.read_failure(error) from error


async def _write(
    group: http.Group, method: str, route: str, *, query: str = "", value: object = None, shape: type[Any] = dict, **names: int | str
) -> Any:
    try:
        return await group.json(method, route.format(**names) + query, route=route, value=value, shape=shape, limit=LAB.post_deadline)
    except errors.CallError as error:
        raise errors.answer_to(error, writing=True) from error
