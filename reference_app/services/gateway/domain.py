"""What the public API accepts and how it renders what it knows."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from reference_app.contract import api
from reference_app.kit import errors, pages
from reference_app.kit.keyvalue import OVER_CAPACITY
from reference_app.kit.pages import PublicPage, PublicPageTweet
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
class Counts:
    """How many users like a tweet, and retweeted it."""

    likes: int
    retweets: int


class PublicCountedTweet(PublicPageTweet, kw_only=True):
    """`likes` and `retweets` count users, a moment ago; null when they are not to be had."""

    likes: int | None
    retweets: int | None


@dataclass(frozen=True)
class Suggestions:
    """Users whom one may want to follow, best first. `partial` when they are not to be had at the moment."""

    users: list[PublicUser]
    partial: bool


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


def page_of(found: api.TweetIds, tweets: api.Tweets, originals: api.Tweets, handles: Mapping[int, str] | None, *, limit: int) -> PublicPage:
    """Tweets in the order found, without the deleted ones and without retweets of such. `handles` is None when users could not be asked.

    A full page goes on below its last id found, whether that tweet is shown or not, so that paging neither skips nor repeats.
    """
    by_id = {tweet.id: tweet for tweet in (*tweets.tweets, *originals.tweets)}
    listed = [by_id[tweet_id] for tweet_id in found.ids if tweet_id in by_id]
    known = handles or {}
    shown = [pages.page_tweet(tweet, by_id, known) for tweet in listed if tweet.retweet_of is None or tweet.retweet_of in by_id]
    hidden = sum(tweet.retweet_of in originals.unavailable for tweet in listed)
    authors = {tweet.user_id for tweet in by_id.values()} - known.keys()
    missing = {
        "timeline": int(not found.complete or found.stale),
        "tweets": len(tweets.unavailable) + len(tweets.unknown) + hidden,
        "authors": max(len(authors), int(handles is None)),
    }
    next_cursor = found.ids[-1] if len(found.ids) == limit else None
    page = pages.page(shown, next_cursor=next_cursor, missing={kind: count for kind, count in missing.items() if count})
    page.stale = found.stale or msgspec.UNSET
    return page


def rendered_counted(tweet: PublicPageTweet, counts: Counts | None) -> PublicCountedTweet:
    """The tweet on a page of its own."""
    likes, retweets = (None, None) if counts is None else (counts.likes, counts.retweets)
    return PublicCountedTweet(**msgspec.structs.asdict(tweet), likes=likes, retweets=retweets)


def rendered_tweet(tweet: api.Tweet) -> PublicTweet:
    """The tweet as its author gets it back."""
    return PublicTweet(str(tweet.id), str(tweet.user_id), tweet.text, pages.created_at(tweet.id), pages.rendered_id(tweet.in_reply_to))


def require_user(handles: Mapping[int, str], user_id: int) -> str:
    """The user's handle. Raises AppError not_found when there is no such user."""
    if user_id not in handles:
        raise errors.AppError("not_found", f"there is no user {user_id}")
    return handles[user_id]
