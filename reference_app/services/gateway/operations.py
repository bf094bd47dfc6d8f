"""Every public operation as data: what it takes and all that it answers, from which the OpenAPI document is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from reference_app.contract import api
from reference_app.kit.pages import PublicPage, PublicPageTweet
from reference_app.services.gateway import domain

Tag = Literal["accounts", "tweets", "reading", "people", "service"]
_BEHIND = ("unavailable", "overloaded", "deadline_exceeded")
"""What an operation that asks other services may always answer."""
_PAGED = ("limit", "cursor")


@dataclass(frozen=True)
class Operation:
    """`answers` are those that succeed: status -> shape, None for no body, or a media type. `codes` are of errors (contract.api.ERROR_CODES)."""

    tag: Tag
    method: str
    path: str
    summary: str
    answers: dict[int, Any]
    codes: tuple[str, ...] = ()
    body: Any = None
    query: tuple[str, ...] = ()
    signed_in: bool = False
    keyed: bool = False
    own: bool = False
    """True for what takes a consistency token: posts give one, reads that bring it see what was written."""
    creates: str = ""
    """Path parameter of other operations that the new thing's id is."""

    @property
    def name(self) -> str:
        """`put_tweets_tweet_id_like`"""
        return re.sub(r"\W+", "_", f"{self.method}{self.path}").strip("_")

    @property
    def errors(self) -> tuple[str, ...]:
        """All error codes, those included that follow from what the operation takes."""
        bodied = ("bad_request", "too_large", "invalid") if self.body else ()
        signed_in = ("unauthorized",) if self.signed_in else ()
        return tuple(dict.fromkeys((*signed_in, *bodied, *self.codes)))


def _read(tag: Tag, path: str, summary: str, shape: Any, *codes: str, **more: Any) -> Operation:
    return Operation(tag, "get", path, summary, {200: shape}, (*codes, *_BEHIND), **more)


def _change(tag: Tag, method: str, path: str, summary: str, *codes: str) -> Operation:
    return Operation(tag, method, path, summary, {204: None}, ("invalid", *codes, "indeterminate", *_BEHIND), signed_in=True)


OPERATIONS = (
    Operation(
        "accounts", "post", api.USERS, "Open an account", {201: domain.PublicUser}, ("conflict", "indeterminate", *_BEHIND), api.Credentials,
        creates="user_id",
    ),
    Operation("accounts", "post", api.TOKENS, "Log in", {200: api.Token}, ("unauthorized", *_BEHIND), api.Credentials),
    _read("accounts", api.HANDLE, "Who has a handle", domain.PublicUser, "not_found"),
    Operation(
        "tweets", "post", api.TWEETS, "Post a tweet; again with the same key it answers with the same tweet", {201: domain.PublicTweet},
        ("quota_exceeded", "indeterminate", *_BEHIND), domain.NewTweet, signed_in=True, keyed=True, own=True,
        creates="tweet_id",
    ),
    _read("tweets", api.TWEET, "A tweet and its counts", domain.PublicCountedTweet, "invalid", "not_found", own=True),
    _change("tweets", "delete", api.TWEET, "Delete an own tweet", "forbidden", "not_found"),
    Operation(
        "tweets", "put", api.RETWEET, "Retweet; once per user and original", {201: PublicPageTweet},
        ("invalid", "not_found", "indeterminate", *_BEHIND), signed_in=True, own=True,
    ),
    _change("tweets", "put", api.LIKE, "Like", "not_found"),
    _change("tweets", "delete", api.LIKE, "Take a like back", "not_found"),
    _read("reading", api.HOME, "The home timeline, newest first", PublicPage, "invalid", query=_PAGED, signed_in=True),
    _read("reading", api.USER_TWEETS, "A user's tweets, newest first", PublicPage, "invalid", "not_found", query=_PAGED, own=True),
    _read("reading", api.SEARCH, "Recent tweets that have all words, newest first", PublicPage, "invalid", query=("q", *_PAGED)),
    _read("reading", api.TRENDS, "Hashtags that more users write than usual", api.Trends, "invalid", query=("limit",)),
    Operation(
        "people", "get", api.SUGGESTIONS, "Whom to follow", {200: domain.Suggestions}, ("invalid", *_BEHIND), query=("limit",), signed_in=True
    ),
    _change("people", "delete", api.SUGGESTION, "Suggest somebody no more"),
    _change("people", "put", api.FOLLOWING, "Follow", "forbidden", "not_found"),
    _change("people", "delete", api.FOLLOWING, "Unfollow"),
    _change("people", "put", api.BLOCKING, "Block; ends both follows", "not_found"),
    _change("people", "delete", api.BLOCKING, "Unblock"),
    Operation("service", "get", api.WEB, "The web page", {200: "text/html", 304: None}, ("overloaded",)),
    Operation("service", "get", api.OPENAPI, "This document", {200: "application/json"}, ("overloaded",)),
    Operation("service", "get", api.HEALTH, "Whether the process answers", {200: "text/plain"}),
    Operation("service", "get", api.METRICS, "Metrics of this process", {200: "application/openmetrics-text"}),
)  # fmt: skip
