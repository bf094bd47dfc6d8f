"""Pages of tweets as users see them: whoever has the tweets writes the page, and the gateway passes it on without reading it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from reference_app.contract import ids
from reference_app.contract.api import Tweet

_COMPLETE = b'"partial":false,"missing":{}}'


class PublicPageTweet(msgspec.Struct):
    """`handle` is empty when the author could not be asked for. A retweet has an empty text and shows its original in `retweet_of`."""

    id: str
    user_id: str
    handle: str
    text: str
    created_at: str
    in_reply_to: str | None = None
    retweet_of: PublicPageTweet | None = None


class PublicPage(msgspec.Struct):
    """`partial` when something could not be fetched; `missing` counts what, by kind: `tweets`, `authors`, `timeline`, `graph`.

    `stale` is true, and else not there, when the page may lack what its reader wrote.
    """

    tweets: list[PublicPageTweet]
    next_cursor: str | None
    partial: bool
    missing: dict[str, int]
    stale: bool | msgspec.UnsetType = msgspec.UNSET


def page(tweets: list[PublicPageTweet], *, next_cursor: int | None, missing: dict[str, int]) -> PublicPage:
    """The page; what `missing` counts makes it partial."""
    return PublicPage(tweets, rendered_id(next_cursor), bool(missing), missing)


def page_tweet(tweet: Tweet, originals: Mapping[int, Tweet], handles: Mapping[int, str]) -> PublicPageTweet:
    """The tweet, and within a retweet its original, which has to be in `originals`."""
    original = None if tweet.retweet_of is None else page_tweet(originals[tweet.retweet_of], originals, handles)
    author = tweet.user_id
    return PublicPageTweet(
        str(tweet.id), str(author), handles.get(author, ""), tweet.text, created_at(tweet.id), rendered_id(tweet.in_reply_to), original
    )


def is_complete(encoded: bytes) -> bool:
    """Whether nothing is missing on an encoded page: told by its end, where no text of a tweet can be."""
    return encoded.endswith(_COMPLETE)


def rendered_id(number: int | None) -> str | None:
    """Ids are strings in public JSON."""
    return None if number is None else str(number)


@functools.lru_cache(maxsize=10_000)
def created_at(tweet_id: int) -> str:
    """RFC 3339, UTC, with milliseconds. Remembered, because followers of one author read the same tweets."""
    moment = datetime.fromtimestamp(ids.unix_ms_of(tweet_id) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
