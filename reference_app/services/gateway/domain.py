"""What the public API accepts and how it renders what it knows."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from reference_app.contract import api, ids
from reference_app.kit import errors


@dataclass(frozen=True)
class PublicUser:
    id: str
    handle: str


@dataclass(frozen=True)
class PublicTweet:
    """`created_at` is RFC 3339 with milliseconds, read off the id."""

    id: str
    user_id: str
    text: str
    created_at: str


@dataclass(frozen=True)
class PublicPageTweet:
    id: str
    user_id: str
    handle: str
    text: str
    created_at: str


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
    if not 1 <= len(composed) <= api.TEXT_MAX:
        raise errors.AppError("invalid", f"a tweet has 1 to {api.TEXT_MAX} characters, this one has {len(composed)}")
    if any(unicodedata.category(character) == "Cc" and character != "\n" for character in composed):
        raise errors.AppError("invalid", "a tweet has no control characters other than newlines")
    return composed


def idempotency_key(header: str | None) -> str:
    """Raises AppError bad_request when there is no key, invalid when it is none."""
    if header is None:
        raise errors.AppError("bad_request", "the header Idempotency-Key is missing: send a new random key with each new tweet")
    if not (1 <= len(header) <= api.KEY_MAX and header.isascii() and header.isprintable()):
        raise errors.AppError("invalid", f"an Idempotency-Key has 1 to {api.KEY_MAX} printable ASCII characters")
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


def user_page(*, user_id: int, handle: str | None, found: api.TweetIds, tweets: api.Tweets, limit: int) -> api.Page:
    """A user's tweets in the order found. `handle` is None when the users service could not be asked."""
    by_id = {tweet.id: tweet for tweet in tweets.tweets}
    shown = [by_id[tweet_id] for tweet_id in found.ids if tweet_id in by_id]
    missing = {"timeline": int(not found.complete), "tweets": len(tweets.unavailable), "authors": int(handle is None)}
    return api.Page(
        [api.PageTweet(tweet.id, user_id, handle or "", tweet.text) for tweet in shown],
        found.ids[-1] if len(found.ids) == limit else None,
        {kind: count for kind, count in missing.items() if count},
    )


def rendered_page(page: api.Page) -> PublicPage:
    """The page as users see it."""
    tweets = [PublicPageTweet(str(tweet.id), str(tweet.user_id), tweet.handle, tweet.text, created_at(tweet.id)) for tweet in page.tweets]
    cursor = None if page.next_cursor is None else str(page.next_cursor)
    return PublicPage(tweets, cursor, bool(page.missing), page.missing)


def rendered_tweet(tweet: api.Tweet) -> PublicTweet:
    """The tweet as its author sees it."""
    return PublicTweet(str(tweet.id), str(tweet.user_id), tweet.text, created_at(tweet.id))


def created_at(tweet_id: int) -> str:
    """RFC 3339, UTC, with milliseconds."""
    moment = datetime.fromtimestamp(ids.unix_ms_of(tweet_id) / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def require_user(handles: Mapping[int, str], user_id: int) -> str:
    """The user's handle. Raises AppError not_found when there is no such user."""
    if user_id not in handles:
        raise errors.AppError("not_found", f"there is no user {user_id}")
    return handles[user_id]
