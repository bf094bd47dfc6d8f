"""From ids to what a page shows: tweets, originals of retweets, handles. What cannot be fetched is dropped and counted as missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from reference_app.contract.api import Tweet
from reference_app.kit import errors
from reference_app.services.timelines import domain
from reference_app.services.timelines.domain import Circle
from reference_app.services.timelines.peers import Peers
from reference_app.services.timelines.people import People

FAILURES = (errors.CallError, errors.AppError)
Missing = Counter[str]


class Hydrated(NamedTuple):
    """Tweets of a page; `originals` are of its retweets, by id."""

    tweets: list[Tweet]
    originals: dict[int, Tweet]


class Hydrating:
    """One call for the tweets of a batch, one more only if there are retweets, and one for what is not remembered of the people."""

    def __init__(self, peers: Peers, people: People) -> None:
        self._peers, self._people = peers, people

    async def tweets(self, user_id: int, circle: Circle | None, tweet_ids: Sequence[int], missing: Missing) -> Hydrated:
        """What the user may see of these, newest first."""
        tweets = await self._tweets(tweet_ids, missing)
        retweeted = {tweet.retweet_of for tweet in tweets if tweet.retweet_of is not None}
        originals = {tweet.id: tweet for tweet in await self._tweets(sorted(retweeted), missing)} if retweeted else {}
        followed = await self._followed(user_id, circle, {tweet.user_id for tweet in tweets})
        if followed is None:
            missing["graph"] = 1
        return Hydrated(domain.visible(tweets, originals, circle, followed), originals)

    async def handles(self, tweets: Iterable[Tweet], originals: Mapping[int, Tweet]) -> dict[int, str]:
        """Handles of all who are named; none when they could not be asked for."""
        authors = domain.authors(tweets, originals)
        if not authors:
            return {}
        try:
            return await self._people.handles(authors)
        except FAILURES:
            return {}

    async def by_followed(self, user_id: int, circle: Circle, tweet_ids: Sequence[int]) -> int:
        """How many of these tweets are there and by somebody the user follows."""
        tweets = await self._tweets(tweet_ids, Counter())
        followed = await self._followed(user_id, circle, {tweet.user_id for tweet in tweets}) or frozenset()
        return sum(tweet.user_id in followed for tweet in tweets)

    async def _tweets(self, tweet_ids: Sequence[int], missing: Missing) -> Sequence[Tweet]:
        try:
            found = await self._peers.multiget(tweet_ids)
        except FAILURES:
            missing["tweets"] += len(tweet_ids)
            return ()
        missing["tweets"] += len(found.unavailable) + len(found.unknown)
        return found.tweets

    async def _followed(self, user_id: int, circle: Circle | None, authors: Collection[int]) -> frozenset[int] | None:
        if circle is None:
            return None
        try:
            return await self._people.followed_among(user_id, circle, authors)
        except FAILURES:
            return None
