"""The HTTP surface: routes, headers, limits and error codes. Ids are decimal strings in public JSON, integers inside.

Public (gateway; `GET /openapi.json` has it in full, `GET /` is the web page):
accounts: `POST /users {handle, password}` 201 `{id, handle}` · `POST /tokens {handle, password}` 200 `{token, expires_at}` · `GET /handles/{handle}` 200 `{id, handle}`
tweets: `POST /tweets {text, in_reply_to?}` + `Idempotency-Key` 201 tweet (+ `Idempotency-Replayed: true`) · `GET /tweets/{tweet_id}` 200 tweet with `likes`, `retweets` (null when they are not to be had) ·
`DELETE /tweets/{tweet_id}` 204 (its author only) · `PUT /tweets/{tweet_id}/retweet` 201 the retweet, a tweet of its own · `PUT|DELETE /tweets/{tweet_id}/like` 204
reading: `GET /home`, `GET /users/{user_id}/tweets` `?limit&cursor` 200 page · `GET /search?q&limit&cursor` 200 page · `GET /trends?limit` 200 `{trends: [{name, tweets}], window_s}`
people: `PUT|DELETE /following/{user_id}`, `PUT|DELETE /blocking/{user_id}` 204 · `GET /suggestions?limit` 200 `{users: [{id, handle}], partial}` ·
`DELETE /suggestions/{user_id}` 204 (not to be shown again)
A page is `{tweets: [{id, user_id, handle, text, created_at, in_reply_to, retweet_of}], next_cursor, partial, missing: {"tweets": n, ...}}`;
`in_reply_to` is an id or null, `retweet_of` a tweet or null. Errors are `{"error": {"code", "message"}, "request_id"}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

USERS, TOKENS, TWEETS, HOME = "/users", "/tokens", "/tweets", "/home"
HANDLE, TWEET, LIKE, RETWEET = "/handles/{handle}", "/tweets/{tweet_id}", "/tweets/{tweet_id}/like", "/tweets/{tweet_id}/retweet"
USER_TWEETS, FOLLOWING, BLOCKING = "/users/{user_id}/tweets", "/following/{user_id}", "/blocking/{user_id}"
SEARCH, TRENDS, OPENAPI, WEB = "/search", "/trends", "/openapi.json", "/"
SUGGESTIONS, SUGGESTION = "/suggestions", "/suggestions/{user_id}"
HEALTH, METRICS = "/health", "/metrics"

IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED = "idempotency-key", "idempotency-replayed"
CONSISTENCY = "x-consistency-token"
"""Of a post's answer, brought along by reads and by the next post (contract.consistency)."""
REQUEST_ID = "x-request-id"
"""Of a request that brings none it is its trace id."""
TRACEPARENT = "traceparent"
"""W3C Trace Context, on every hop: HTTP headers, stream headers, and the outbox column of that name."""
DEADLINE_MS = "x-deadline-ms"
"""Milliseconds the caller still waits when it sends (remaining time, so hosts need no common clock)."""

FAULT = "x-failwhale-fault"
"""A fault that the request asks for, honoured only while the decider `request_faults` is on (instrumentation/request_faults.py)."""

MAX_ID = (1 << 63) - 1
PAGE_DEFAULT, PAGE_MAX = 20, 100
MULTIGET_MAX = 200
TEXT_MAX, TEXT_STORED_MAX, KEY_MAX, BODY_MAX = 280, 1120, 64, 64 * 1024
"""TEXT_MAX is a weighted length (twitter-text v3): CJK scripts, symbols and emoji weigh 2, a URL 23. TEXT_STORED_MAX is in code points (NFC), the
column: a tweet of long URLs or joined emoji may be light and yet too long for it."""
HANDLE_PATTERN = "[A-Za-z0-9_]{1,15}"
PASSWORD_MIN, PASSWORD_MAX = 8, 128
QUERY_MAX = 100
RETWEET_KEY = "rt:"
"""`rt:<original id>` is the idempotency key of a retweet: one per user and original. Keys of clients may not begin with it."""

ERROR_CODES = {
    "bad_request": 400, "unauthorized": 401, "forbidden": 403, "not_found": 404, "method_not_allowed": 405, "conflict": 409, "too_large": 413,
    "invalid": 422, "quota_exceeded": 429, "internal": 500, "indeterminate": 503, "unavailable": 503, "overloaded": 503, "deadline_exceeded": 504,
}  # fmt: skip
"""Error code -> HTTP status. `indeterminate`: the post may or may not have been stored; retry with the same key.
`overloaded`: shed before any work was done; the web page shows the fail whale."""


class Internal:
    """Routes between services; ids are integers. Request -> answer.

    tweets: `POST CREATE NewTweet` -> 201 Created · `POST MULTIGET Ids` -> Tweets · `POST BY_USERS ByUsers` -> TweetIds · `GET TWEET` -> Tweet ·
    `DELETE TWEET ?user_id` -> 204 (403 when it is another's) · `PUT|DELETE LIKE` -> 204
    users: `POST REGISTER Credentials` -> Profile · `POST LOGIN Credentials` -> Token · `POST PROFILES Ids` -> Profiles · `GET BY_HANDLE` -> Profile
    graph: `PUT|DELETE EDGE` -> 204 (PUT: 403 when either blocks the other) · `PUT|DELETE BLOCK` -> 204 (PUT also ends both follows) ·
    `GET FOLLOWEES ?limit&celebrity_over` -> Following · `GET FOLLOWERS ?after&limit` -> FollowersPage · `POST AMONG Ids` -> Ids (those of them that the user follows)
    timelines: `GET HOME ?limit&cursor` -> the page as users see it (kit.pages) · `DELETE HOME` -> 204 (forget the list; the next read rebuilds it)
    search: `GET SEARCH ?q&limit&before` -> TweetIds · `GET TRENDS ?limit` -> Trends
    keyvalue: of a dataset (contract.keyvalue): `POST VALUES Keys` -> Values · `PUT VALUES Texts` -> 204 · `POST ADD Additions` -> 204 ·
    `POST REMOVE Keys` -> 204; 429 quota_exceeded when its tenant has used up what it may
    """

    CREATE, MULTIGET, BY_USERS = "/internal/tweets", "/internal/tweets/multiget", "/internal/tweets/by-users"
    TWEET, LIKE = "/internal/tweets/{tweet_id}", "/internal/tweets/{tweet_id}/likes/{user_id}"
    REGISTER, LOGIN, PROFILES = "/internal/users", "/internal/tokens", "/internal/users/multiget"
    BY_HANDLE = "/internal/handles/{handle}"
    EDGE = "/internal/graph/{follower_id}/following/{followee_id}"
    BLOCK = "/internal/graph/{blocker_id}/blocking/{blocked_id}"
    FOLLOWEES, FOLLOWERS, AMONG = (
        "/internal/graph/{user_id}/following",
        "/internal/graph/{user_id}/followers",
        "/internal/graph/{user_id}/among",
    )
    HOME = "/internal/home/{user_id}"
    SEARCH, TRENDS = "/internal/search", "/internal/trends"
    VALUES, ADD, REMOVE = (
        "/internal/keyvalue/{dataset}/values",
        "/internal/keyvalue/{dataset}/additions",
        "/internal/keyvalue/{dataset}/removals",
    )
    POSTED_READS = frozenset({MULTIGET, BY_USERS, PROFILES, LOGIN, AMONG, VALUES})
    """Routes whose POST only reads, because what it asks for does not fit into a query."""


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
    """Ids of users or tweets. `own` is the reader's consistency token, where it matters."""

    ids: list[int]
    own: str = ""


@dataclass(frozen=True)
class Following:
    """Whom a user follows; those of them with more followers than was asked for, None when that is unknown now; whom the user blocks."""

    ids: list[int]
    celebrities: list[int] | None
    blocked: list[int]


@dataclass(frozen=True)
class FollowersPage:
    """`next_after` is None on the last page; `count` is the number of all followers, on the first page only."""

    ids: list[int]
    next_after: int | None
    count: int | None


@dataclass(frozen=True)
class NewTweet:
    """A post on its way to a shard. A retweet has an empty text."""

    user_id: int
    key: str
    text: str
    in_reply_to: int | None = None
    retweet_of: int | None = None


@dataclass(frozen=True)
class ByUsers:
    """Asks for ids below `before`, newest first. `own` is the reader's consistency token."""

    user_ids: list[int]
    limit: int
    before: int
    own: str = ""


@dataclass(frozen=True)
class Tweet:
    """A visible tweet as services pass it on."""

    id: int
    user_id: int
    text: str
    in_reply_to: int | None = None
    retweet_of: int | None = None


@dataclass(frozen=True)
class Created:
    """`replayed`: the key had been stored before and this is that tweet. `own` is the consistency token of this post, empty of a replayed one."""

    tweet: Tweet
    replayed: bool
    own: str = ""


@dataclass(frozen=True)
class Tweets:
    """`deleted` ids are tombstones; `unavailable` ones could not be asked for; of `unknown` ones there is no row, which a page that lists them lacks."""

    tweets: list[Tweet]
    deleted: list[int]
    unavailable: list[int]
    unknown: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class TweetIds:
    """Newest first. `complete` is False when some shard could not be asked, `stale` when one answered without what the reader wrote."""

    ids: list[int]
    complete: bool
    stale: bool = False


@dataclass(frozen=True)
class Trend:
    """A hashtag and how many tweets of the window have it, one per user: who repeats themselves makes no trend."""

    name: str
    tweets: int


@dataclass(frozen=True)
class Trends:
    """Of the last `window_s` seconds, most unusual first: against what the time before makes likely."""

    trends: list[Trend]
    window_s: float


@dataclass(frozen=True)
class Keys:
    """Keys of a dataset."""

    keys: list[str]


@dataclass(frozen=True)
class Values:
    """Those of the keys asked for that are there. `generation` is when a read-only dataset was loaded, Unix milliseconds, None when it never was."""

    values: dict[str, int | str]
    generation: int | None = None


@dataclass(frozen=True)
class Texts:
    """Key -> value to put."""

    values: dict[str, str]


@dataclass(frozen=True)
class Addition:
    """`operation` names it: sent again it changes nothing. Without one it is added each time it arrives."""

    key: str
    by: int
    operation: str = ""


@dataclass(frozen=True)
class Additions:
    """Made together or not at all."""

    additions: list[Addition]
