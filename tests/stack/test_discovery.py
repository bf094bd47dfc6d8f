"""Search and trends on the whole lab."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reference_app.contract.topology import Lab
from reference_app.kit.home import Home
from reference_app.stack.control import Control

pytestmark = pytest.mark.lab
Eventually = Callable[[Callable[[], bool], str], None]


@pytest.fixture
def word() -> str:
    """One that nobody else uses."""
    return f"w{uuid.uuid4().hex[:10]}"


@pytest.fixture
def search(lab: Lab) -> Callable[..., dict[str, Any]]:
    def ask(query: str, **more: Any) -> dict[str, Any]:
        answer = httpx.get(f"{lab.entry_url}/search", params={"q": query, **more}, timeout=5)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    return ask


def ids(page: dict[str, Any]) -> list[str]:
    return [tweet["id"] for tweet in page["tweets"]]


def test_a_tweet_is_found_by_its_words_with_its_author_until_it_is_deleted(
    api: Any, search: Any, word: str, lab: Lab, eventually: Eventually
) -> None:
    author = api.user()
    tweet = api.acknowledged(author, "k", f"A {word.upper()} of its own, ゴール!")
    eventually(lambda: ids(search(word)) == [tweet], "the tweet is found")
    [found] = search(f"{word} ゴール own")["tweets"]
    assert (found["user_id"], found["text"]) == (author.id, f"A {word.upper()} of its own, ゴール!")
    assert found["handle"]
    assert search(f"{word} nothing")["tweets"] == []
    headers = {"authorization": f"Bearer {author.token}"}
    assert httpx.delete(f"{lab.entry_url}/tweets/{tweet}", headers=headers).status_code == 204
    assert search(word)["tweets"] == []


def test_found_tweets_are_paged_newest_first(api: Any, search: Any, word: str, eventually: Eventually) -> None:
    author = api.user()
    posted = [api.acknowledged(author, f"k{n}", f"{word} {n}") for n in range(5)]
    eventually(lambda: len(ids(search(word))) == 5, "all are found")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = search(word, limit=2, **cursor)
        seen += ids(page)
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == posted[::-1]


def test_a_hashtag_of_several_users_is_a_trend(api: Any, lab: Lab, word: str, eventually: Eventually) -> None:
    for author in [api.user() for _ in range(3)]:
        for n in range(2):
            api.acknowledged(author, f"k{n}", f"#{word} {n}")

    def trends() -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = httpx.get(f"{lab.entry_url}/trends?limit=100").json()["trends"]
        return listed

    eventually(lambda: {"name": f"#{word}", "tweets": 3} in trends(), "the hashtag trends")


@pytest.mark.breaks
def test_a_search_that_started_again_finds_what_was_posted_before(
    api: Any, search: Any, word: str, lab: Lab, home: Home, eventually: Eventually
) -> None:
    tweet = api.acknowledged(api.user(), "k", word)
    eventually(lambda: ids(search(word)) == [tweet], "the tweet is found")
    control = Control(home)
    control.kill_and_hold(lab.group("search")[0].name)
    refused = httpx.get(f"{lab.entry_url}/search", params={"q": word}, timeout=5)
    assert (refused.status_code, refused.json()["error"]["code"], refused.headers["retry-after"]) == (503, "unavailable", "1")
    control.heal(20)

    def found_again() -> bool:
        answer = httpx.get(f"{lab.entry_url}/search", params={"q": word}, timeout=5)
        return answer.status_code == 200 and ids(answer.json()) == [tweet] and not answer.json()["partial"]

    eventually(found_again, "the tweet is found again")


@pytest.mark.breaks
def test_without_the_stream_search_answers_from_memory_and_says_that_it_may_lack_something(
    api: Any, search: Any, word: str, lab: Lab, home: Home, eventually: Eventually
) -> None:
    tweet = api.acknowledged(api.user(), "k", word)
    eventually(lambda: ids(search(word)) == [tweet], "the tweet is found")
    Control(home).pause(lab.group("events")[0].name)
    eventually(lambda: search(word)["missing"] == {"timeline": 1}, "search says what is missing")
    assert ids(search(word)) == [tweet]
