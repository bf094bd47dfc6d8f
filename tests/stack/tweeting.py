"""What people do with tweets, through the front door, and what they see of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from reference_app.contract import ids

UNKNOWN = ids.compose(unix_ms=1_600_000_000_000, shard=0, process=0, sequence=0)


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def settled(ask: Callable[[], Any]) -> Any:
    """The answer, once there is one: after a test that broke the lab a breaker may refuse for some seconds, and clients try again."""
    deadline = time.monotonic() + 15
    while (answer := ask()).status_code in (503, 504) and time.monotonic() < deadline:
        time.sleep(0.2)
    return answer


def show(api: Any, tweet: str) -> Any:
    return settled(lambda: api.call(None, "GET", f"/tweets/{tweet}"))


def counts(api: Any, tweet: str) -> tuple[int | None, int | None]:
    """(likes, retweets); they follow a moment later."""
    shown = show(api, tweet).json()
    return shown["likes"], shown["retweets"]


def retweet(api: Any, user: Any, tweet: str) -> Any:
    return settled(lambda: api.call(user, "PUT", f"/tweets/{tweet}/retweet"))


def like(api: Any, user: Any, tweet: str, method: str = "PUT") -> Any:
    return settled(lambda: api.call(user, method, f"/tweets/{tweet}/like"))


def delete(api: Any, user: Any, tweet: str) -> Any:
    return settled(lambda: api.call(user, "DELETE", f"/tweets/{tweet}"))


def new(api: Any, author: Any, text: str = "hello") -> str:
    return str(api.acknowledged(author, uuid.uuid4().hex, text))


def pages(api: Any, user: Any, path: str, *, limit: int) -> Iterator[dict[str, Any]]:
    """All pages, to the last."""
    cursor: dict[str, Any] = {}
    while True:
        answer = settled(lambda: api.call(user, "GET", path, params={"limit": limit} | cursor))  # noqa: B023 - asked at once
        assert answer.status_code == 200, answer.text
        document = answer.json()
        assert not document["partial"], document["missing"]
        yield document
        if document["next_cursor"] is None:
            return
        cursor = {"cursor": document["next_cursor"]}


def timeline(api: Any, author: Any, *, limit: int = 100) -> list[dict[str, Any]]:
    return [tweet for page in pages(api, None, f"/users/{author.id}/tweets", limit=limit) for tweet in page["tweets"]]


def shows(tweets: list[dict[str, Any]]) -> list[str]:
    return [tweet["id"] for tweet in tweets]


def gone_everywhere(api: Any, author: Any, reader: Any, tweet: str) -> bool:
    return show(api, tweet).status_code == 404 and timeline(api, author) == [] and (api.home(reader) or {}).get("tweets") == []


def seen_by(api: Any, eventually: Any) -> tuple[Any, Any, str]:
    """An author, a follower, and a tweet that the follower has on the home timeline, warm in every cache."""
    author, reader = api.user(), api.user()
    api.follow(reader, author)
    api.home(reader)
    tweet = new(api, author)
    eventually(lambda: api.home_ids(reader) == [tweet], "the follower sees the tweet")
    return author, reader, tweet
