"""What the public API accepts and how it renders what it knows."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from reference_app.contract import api, ids
from reference_app.kit import errors
from reference_app.kit.keyvalue import OVER_CAPACITY
from reference_app.kit.weighted_length import INVALID, weighted_length


@dataclass(frozen=True)
class PublicUser:
    id: str
    handle: str


@dataclass(frozen=True)
class NewTweet:
    """What users post."""

    text: str
    in_reply_to: str | None = None


@dataclass(frozen=True)
class PublicTweet:
    """What a post is answered with. `created_at` is RFC 3339 with milliseconds, read off the id."""

    id: str
    user_id: str
    text: str
    created_at: str
    in_reply_to: str | None = None


@dataclass(frozen=True)
class PublicPageTweet:
    """`handle` is empty when the author could not be asked for. A retweet has an empty text and shows its original in `retweet_of`."""

    id: str
    user_id: str
    handle: str
    text: str
    created_at: str
    in_reply_to: str | None = None
    retweet_of: PublicPageTweet | None = None


@dataclass(frozen=True)
class Counts:
    """How many users like a tweet, and retweeted it."""

    likes: int
    retweets: int


@dataclass(frozen=True, kw_only=True)
class PublicCountedTweet(PublicPageTweet):
    """`likes` and `retweets` count users, a moment ago; null when they are not to be had."""

    likes: int | None
    retweets: int | None


@dataclass(frozen=True)
class Suggestions:
    """Users whom one may want to follow, best first. `partial` when they are not to be had at the moment."""

    users: list[PublicUser]
    partial: bool


@dataclass(frozen=True)
class PublicPage:
    """`partial` when something could not be fetched; `missing` counts what, by kind."""

    tweets: list[PublicPageTweet]
    next_cursor: str | None
    partial: bool
    missing: dict[str, int]


def tweet_text(text: str) -> str:
    """The text in Unicode's composed form (NFC), as Twitter counts characters. Raises AppError invalid when it is no tweet."""
    composed = unicodedata.normalize("NFC", text)
    if not composed.strip():
        raise errors.AppError("invalid", "a tweet has more than white space")
    if len(composed) > api.TEXT_STORED_MAX:
        raise errors.AppError("invalid", f"a tweet has at most {api.TEXT_STORED_MAX} characters, links in full and parts of emoji included")
    if (weight := weighted_length(composed)) > api.TEXT_MAX:
        raise errors.AppError(
            "invalid", f"a tweet weighs at most {api.TEXT_MAX}, this one {weight}: CJK, symbols and emoji count 2, a link 23"
        )
    if any(character in INVALID or (character != "\n" and unicodedata.category(character) == "Cc") for character in composed):
        raise errors.AppError("invalid", "a tweet has no control characters other than newlines, and no U+FEFF, U+FFFE or U+FFFF")
    return composed


def tweet_id(text: str, name: str) -> int:
    """An id in a document. Raises AppError invalid when it is none."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(api.MAX_ID)) and 0 < int(text) <= api.MAX_ID):
        raise errors.AppError("invalid", f"{name} must be the id of a tweet, a string of digits")
    return int(text)


def idempotency_key(header: str | None) -> str:
    """Raises AppError bad_request when there is no key, invalid when it is none."""
    if header is None:
        raise errors.AppError("bad_request", "the header Idempotency-Key is missing: send a new random key with each new tweet")
    if not (1 <= len(header) <= api.KEY_MAX and header.isascii() and header.isprintable()):
        raise errors.AppError("invalid", f"an Idempotency-Key has 1 to {api.KEY_MAX} printable ASCII characters")
    if header.startswith(api.RETWEET_KEY):
        raise errors.AppError("invalid", f"an Idempotency-Key does not begin with {api.RETWEET_KEY}: such keys are those of retweets")
    return header


def bearer_token(header: str | None) -> str:
    """The token of an `Authorization` header. Raises AppError unauthorized when it holds none."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise errors.AppError("unauthorized", "send a token as `Authorization: Bearer <token>`; POST /tokens gives one")
    return token.strip()


def read_failure(error: errors.CallError) -> errors.AppError:
    """The answer to a read whose call failed. A read has the whole deadline, so a call that timed out has used it up."""
    if isinstance(error, errors.OutcomeUnknown) and error.outcome == "timeout":
        return errors.AppError("deadline_exceeded", f"{error.peer} did not answer in time")
    return errors.answer_to(error, writing=False)


def over_capacity(error: errors.CallError) -> errors.AppError | None:
    """The answer when a tenant of the key-value tier has used up its quota: it is ours, and not the user's."""
    if error.outcome not in OVER_CAPACITY:
        return None
    return errors.AppError("overloaded", "too much of this is going on at the moment: try again soon", retry_after=1)


def page_of(found: api.TweetIds, tweets: api.Tweets, originals: api.Tweets, handles: Mapping[int, str] | None, *, limit: int) -> api.Page:
    """Tweets in the order found, without the deleted ones and without retweets of such. `handles` is None when users could not be asked.

    A full page goes on below its last id found, whether that tweet is shown or not, so that paging neither skips nor repeats.
    """
    by_id = {tweet.id: tweet for tweet in (*tweets.tweets, *originals.tweets)}
    listed = [by_id[tweet_id] for tweet_id in found.ids if tweet_id in by_id]
    known = handles or {}
    shown = [page_tweet(tweet, by_id, known) for tweet in listed if tweet.retweet_of is None or tweet.retweet_of in by_id]
    hidden = sum(tweet.retweet_of in originals.unavailable for tweet in listed)
    authors = {tweet.user_id for tweet in by_id.values()} - known.keys()
    missing = {
        "timeline": int(not found.complete),
        "tweets": len(tweets.unavailable) + hidden,
        "authors": max(len(authors), int(handles is None)),
    }
    return api.Page(shown, found.ids[-1] if len(found.ids) == limit else None, {kind: count for kind, count in missing.items() if count})


def page_tweet(tweet: api.Tweet, by_id: Mapping[int, api.Tweet], handles: Mapping[int, str]) -> api.PageTweet:
    """The tweet, and within a retweet its original, which has to be in `by_id`."""
    original = None if tweet.retweet_of is None else page_tweet(by_id[tweet.retweet_of], by_id, handles)
    return api.PageTweet(tweet.id, tweet.user_id, handles.get(tweet.user_id, ""), tweet.text, tweet.in_reply_to, original)


def rendered_page(page: api.Page) -> PublicPage:
    """The page as users see it."""
    cursor = None if page.next_cursor is None else str(page.next_cursor)
    return PublicPage([rendered_page_tweet(tweet) for tweet in page.tweets], cursor, bool(page.missing), page.missing)


def rendered_page_tweet(tweet: api.PageTweet) -> PublicPageTweet:
    """The tweet as readers see it."""
    original = None if tweet.retweet_of is None else rendered_page_tweet(tweet.retweet_of)
    return PublicPageTweet(
        str(tweet.id), str(tweet.user_id), tweet.handle, tweet.text, created_at(tweet.id), _rendered_id(tweet.in_reply_to), original
    )


def rendered_counted(tweet: api.PageTweet, counts: Counts | None) -> PublicCountedTweet:
    """The tweet on a page of its own."""
    likes, retweets = (None, None) if counts is None else (counts.likes, counts.retweets)
    return PublicCountedTweet(**vars(rendered_page_tweet(tweet)), likes=likes, retweets=retweets)


def rendered_tweet(tweet: api.Tweet) -> PublicTweet:
    """The tweet as its author gets it back."""
    return PublicTweet(str(tweet.id), str(tweet.user_id), tweet.text, created_at(tweet.id), _rendered_id(tweet.in_reply_to))


def _rendered_id(tweet_id: int | None) -> str | None:
    return None if tweet_id is None else str(tweet_id)


@functools.lru_cache(maxsize=10_000)
def created_at(tweet_id: int) -> str:
    """RFC 3339, UTC, with milliseconds. Remembered, because followers of one author read the same tweets."""
    moment = datetime.fromtimestamp(ids.unix_ms_of(tweet_id) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def require_user(handles: Mapping[int, str], user_id: int) -> str:
    """The user's handle. Raises AppError not_found when there is no such user."""
    if user_id not in handles:
        raise errors.AppError("not_found", f"there is no user {user_id}")
    return handles[user_id]
