"""The HTTP surface: routes, headers, limits and error codes. Ids are decimal strings in public JSON, integers inside.

Public (gateway): `POST /users {handle, password}` 201 `{id, handle}` · `POST /tokens {handle, password}` 200 `{token, expires_at}` ·
`POST /tweets {text}` + `Idempotency-Key` 201 `{id, user_id, text, created_at}` (+ `Idempotency-Replayed: true`) ·
`GET /home`, `GET /users/{user_id}/tweets` `?limit&cursor` 200 page · `PUT|DELETE /following/{user_id}` 204.
A page is `{tweets: [{id, user_id, handle, text, created_at}], next_cursor, partial, missing: {"tweets": n, ...}}`.
Errors are `{"error": {"code", "message"}, "request_id"}`.
"""

from __future__ import annotations

from dataclasses import dataclass

USERS, TOKENS, TWEETS, HOME = "/users", "/tokens", "/tweets", "/home"
USER_TWEETS, FOLLOWING = "/users/{user_id}/tweets", "/following/{user_id}"
HEALTH, METRICS = "/health", "/metrics"

IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED = "idempotency-key", "idempotency-replayed"
REQUEST_ID = "x-request-id"
DEADLINE_MS = "x-deadline-ms"
"""Milliseconds the caller still waits when it sends (remaining time, so hosts need no common clock)."""

MAX_ID = (1 << 63) - 1
PAGE_DEFAULT, PAGE_MAX = 20, 100
MULTIGET_MAX = 200
TEXT_MAX, KEY_MAX, BODY_MAX = 280, 64, 64 * 1024

ERROR_CODES = {
    "bad_request": 400, "unauthorized": 401, "not_found": 404, "method_not_allowed": 405, "conflict": 409, "too_large": 413,
    "invalid": 422, "internal": 500, "indeterminate": 503, "unavailable": 503, "deadline_exceeded": 504,
}  # fmt: skip
"""Error code -> HTTP status. `indeterminate`: the post may or may not have been stored; retry with the same key."""


class Internal:
    """Routes between services; ids are integers. Request -> answer.

    tweets: `POST CREATE {user_id, key, text}` -> 201 Created · `POST MULTIGET {ids}` -> Tweets · `POST BY_USERS {user_ids, limit, before}` -> TweetIds
    users: `POST REGISTER {handle, password}` -> {id, handle} · `POST LOGIN {handle, password}` -> {token, expires_at} · `POST PROFILES {ids}` -> {users: [{id, handle}]}
    graph: `PUT|DELETE EDGE` -> 204 · `GET FOLLOWEES ?limit` -> {ids} · `GET FOLLOWERS ?after&limit` -> {ids, next_after, count} (count on the first page) ·
    `POST AMONG {ids}` -> {ids} (those of them that the user follows)
    timelines: `GET HOME ?limit&cursor` -> Page · `DELETE HOME` -> 204 (forget the list; the next read rebuilds it)
    """

    CREATE, MULTIGET, BY_USERS = "/internal/tweets", "/internal/tweets/multiget", "/internal/tweets/by-users"
    REGISTER, LOGIN, PROFILES = "/internal/users", "/internal/tokens", "/internal/users/multiget"
    EDGE = "/internal/graph/{follower_id}/following/{followee_id}"
    FOLLOWEES, FOLLOWERS, AMONG = (
        "/internal/graph/{user_id}/following",
        "/internal/graph/{user_id}/followers",
        "/internal/graph/{user_id}/among",
    )
    HOME = "/internal/home/{user_id}"


@dataclass(frozen=True)
class Credentials:
    """What a user types to register or to log in."""

    handle: str
    password: str


@dataclass(frozen=True)
class Token:
    """`expires_at` in Unix seconds."""

    token: str
    expires_at: int


@dataclass(frozen=True)
class Profile:
    """What others may see of a user."""

    id: int
    handle: str


@dataclass(frozen=True)
class Profiles:
    """Those of the users asked for that exist."""

    users: list[Profile]


@dataclass(frozen=True)
class Ids:
    """Ids of users or tweets."""

    ids: list[int]


@dataclass(frozen=True)
class FollowersPage:
    """`next_after` is None on the last page; `count` is the number of all followers, on the first page only."""

    ids: list[int]
    next_after: int | None
    count: int | None


@dataclass(frozen=True)
class NewTweet:
    """A post on its way to a shard."""

    user_id: int
    key: str
    text: str


@dataclass(frozen=True)
class ByUsers:
    """Asks for ids below `before`, newest first."""

    user_ids: list[int]
    limit: int
    before: int


@dataclass(frozen=True)
class Tweet:
    """A visible tweet as services pass it on."""

    id: int
    user_id: int
    text: str


@dataclass(frozen=True)
class Created:
    """`replayed`: the key had been stored before and this is that tweet."""

    tweet: Tweet
    replayed: bool


@dataclass(frozen=True)
class Tweets:
    """`deleted` ids are known to be gone; `unavailable` ones could not be asked for."""

    tweets: list[Tweet]
    deleted: list[int]
    unavailable: list[int]


@dataclass(frozen=True)
class TweetIds:
    """Newest first. `complete` is False when some shard could not be asked."""

    ids: list[int]
    complete: bool


@dataclass(frozen=True)
class PageTweet:
    """`handle` is empty when the author could not be asked for."""

    id: int
    user_id: int
    handle: str
    text: str


@dataclass(frozen=True)
class Page:
    """Newest first. `missing` counts what could not be fetched, by kind: `tweets`, `authors`, `timeline`, `graph`; empty means complete."""

    tweets: list[PageTweet]
    next_cursor: int | None
    missing: dict[str, int]
