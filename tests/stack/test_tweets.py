"""Replies, retweets, likes, blocks and long timelines on the whole lab."""

from __future__ import annotations

import json
import time
import unicodedata
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from reference_app.contract import ids
from reference_app.kit import deciders
from reference_app.kit.home import Home
from reference_app.stack.control import Control
from tests.conftest import SHARED_DATA
from tests.stack.tweeting import UNKNOWN, code, counts, delete, like, new, pages, retweet, seen_by, show, shows, timeline

pytestmark = pytest.mark.lab
NAUGHTY = SHARED_DATA / "naughty-strings" / "blns-even.json"
OWN_NAUGHTY = (
    "", " ", "\u3000", "undefined", "null", "0", "1;DROP TABLE users", "' OR 1=1 -- 1", "<script>alert(1)</script>", "%s%n{0}", "\\", '"',
    "a\0b", "tab\there", "\ufeffbom", "\uffff", "e\u0301", "\u1e9b\u0323", "Ω≈ç√∫", "田中さん", "表ポあA鷗Œé逍Üßªąñ丂㐀𠀀", "👩🏽‍🚀 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "ﷺ", "הָיְתָה", "مُنَاقَشَةُ",
    "\u202etest\u202c", "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮", "line\nbreak", "\u200b", "x" * 281, "😀" * 141, "http://example.com/" + "x" * 2000, "\x7f", "\u0085",
)  # fmt: skip


def test_a_reply_names_what_it_answers_wherever_it_is_shown(api: Any, eventually: Any) -> None:
    author, reader = api.user(), api.user()
    api.follow(reader, author)
    api.home(reader)
    original = new(api, author)
    posted = api.call(author, "POST", "/tweets", json={"text": "yes", "in_reply_to": original}, headers={"idempotency-key": "reply"})
    assert (posted.status_code, posted.json()["in_reply_to"]) == (201, original)
    reply = posted.json()["id"]
    assert show(api, reply).json()["in_reply_to"] == original
    assert [tweet["in_reply_to"] for tweet in timeline(api, author)] == [original, None]
    eventually(lambda: api.home_ids(reader) == [reply, original], "the follower sees both")
    assert api.home(reader)["tweets"][0]["in_reply_to"] == original


def test_a_reply_to_what_cannot_be_a_tweet_is_invalid(api: Any) -> None:
    author = api.user()
    for wrong in (7, "x", "", "0", "-1", "9223372036854775808", ["1"]):
        answer = api.call(author, "POST", "/tweets", json={"text": "yes", "in_reply_to": wrong}, headers={"idempotency-key": "k"})
        assert code(answer) == (422, "invalid")


def test_a_retweet_shows_the_original_and_is_there_once_per_user(api: Any, eventually: Any) -> None:
    author, fan, follower = api.user(), api.user(), api.user()
    api.follow(follower, fan)
    api.home(follower)
    original = new(api, author, "the original")
    first, again = retweet(api, fan, original), retweet(api, fan, original)
    assert (first.status_code, first.json()["retweet_of"]["text"]) == (201, "the original")
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert retweet(api, author, first.json()["id"]).json()["retweet_of"]["id"] == original, "a retweet of a retweet is one of the original"
    (shown,) = timeline(api, fan)
    assert shown == first.json()
    assert (shown["text"], shown["retweet_of"]["user_id"]) == ("", author.id)
    assert show(api, shown["id"]).json()["retweet_of"]["id"] == original
    eventually(lambda: api.home_ids(follower) == [shown["id"]], "the retweeter's follower sees it")
    assert api.home(follower)["tweets"][0]["retweet_of"]["text"] == "the original"


def test_a_retweet_is_undone_by_deleting_it_and_can_be_made_again(api: Any, eventually: Any) -> None:
    author, fan = api.user(), api.user()
    original = new(api, author)
    seen = []
    for _ in range(3):
        made = retweet(api, fan, original)
        assert (made.status_code, "idempotency-replayed" in made.headers) == (201, False)
        seen.append(made.json()["id"])
        eventually(lambda: counts(api, original) == (0, 1), "the retweet is counted")
        assert delete(api, fan, seen[-1]).status_code == 204
        eventually(lambda: counts(api, original) == (0, 0), "it is counted no more")
    assert len(set(seen)) == 3
    assert timeline(api, fan) == []


def test_counts_are_of_users_and_not_of_requests(api: Any, eventually: Any) -> None:
    author, fans = api.user(), [api.user() for _ in range(3)]
    tweet = new(api, author)
    for fan in [*fans, *fans]:
        assert like(api, fan, tweet).status_code == 204
        assert retweet(api, fan, tweet).status_code == 201
    eventually(lambda: counts(api, tweet) == (3, 3), "everybody is counted once")
    for _ in range(2):
        assert like(api, fans[0], tweet, "DELETE").status_code == 204
    eventually(lambda: counts(api, tweet) == (2, 3), "who likes it no more is counted no more")


def test_what_is_gone_or_was_never_there_can_be_neither_liked_nor_retweeted_nor_shown(api: Any) -> None:
    author, fan = api.user(), api.user()
    gone = new(api, author)
    delete(api, author, gone)
    for tweet in (gone, str(UNKNOWN), "1", "9223372036854775807"):
        for answer in (like(api, fan, tweet), retweet(api, fan, tweet), show(api, tweet)):
            assert code(answer) == (404, "not_found")
    assert like(api, fan, gone, "DELETE").status_code == 204


def test_a_long_timeline_is_paged_without_gaps_or_repeats_while_it_changes(api: Any) -> None:
    author = api.user()
    with ThreadPoolExecutor(8) as pool:
        there_at_start = list(pool.map(lambda n: new(api, author, str(n)), range(250)))
    assert {ids.shard_of(int(tweet)) for tweet in there_at_start} == {0, 1}
    doomed = iter(sorted(there_at_start, key=int)[5::12])
    seen, deleted = [], set()
    for page in pages(api, None, f"/users/{author.id}/tweets", limit=20):
        seen += shows(page["tweets"])
        new(api, author, "arrived meanwhile")
        if (victim := next(doomed, None)) is not None:
            assert delete(api, author, victim).status_code == 204
            deleted.add(victim)
    stayed = [tweet for tweet in sorted(there_at_start, key=int, reverse=True) if tweet not in deleted]
    assert len(deleted) > 10
    assert [tweet for tweet in seen if tweet not in deleted] == stayed
    assert len(set(seen)) == len(seen)


def naughty_strings() -> list[str]:
    return [*OWN_NAUGHTY, *(json.loads(NAUGHTY.read_text()) if NAUGHTY.exists() else [])]


def test_any_text_is_refused_with_a_code_or_comes_back_as_it_was_sent(api: Any, eventually: Callable[..., None]) -> None:
    author, reader = api.user(), api.user()
    api.follow(reader, author)
    api.home(reader)
    strings = naughty_strings()

    def post(text: str) -> str | None:
        answer = api.post(author, uuid.uuid4().hex, text)
        if answer.status_code != 201:
            assert code(answer) == (422, "invalid"), (text, answer.text)
            return None
        return str(answer.json()["id"])

    with ThreadPoolExecutor(4) as pool:
        posted = list(pool.map(post, strings))
    accepted = {tweet: unicodedata.normalize("NFC", text) for tweet, text in zip(posted, strings, strict=True) if tweet is not None}
    assert len(OWN_NAUGHTY) / 2 < len(accepted) < len(strings)
    with ThreadPoolExecutor(4) as pool:
        read = dict(zip(accepted, pool.map(lambda tweet: show(api, tweet).json()["text"], accepted), strict=True))
    assert read == accepted
    assert {tweet["id"]: tweet["text"] for tweet in timeline(api, author)} == accepted

    def at_home() -> dict[str, str]:
        return {tweet["id"]: tweet["text"] for page in pages(api, reader, "/home", limit=100) for tweet in page["tweets"]}

    eventually(lambda: at_home() == accepted, "the follower reads the same")


def test_a_block_ends_both_follows_and_both_homes_show_it(api: Any, eventually: Any) -> None:
    author, reader, tweet = seen_by(api, eventually)
    api.follow(author, reader)
    answer = new(api, reader)
    eventually(lambda: api.home_ids(author) == [answer], "the author sees the reader's tweet")
    assert api.call(author, "PUT", f"/blocking/{reader.id}").status_code == 204
    assert (api.home_ids(author), api.home_ids(reader)) == ([], [])
    assert code(api.call(reader, "PUT", f"/following/{author.id}")) == (403, "forbidden")
    assert api.call(author, "DELETE", f"/blocking/{reader.id}").status_code == 204
    api.follow(reader, author)
    assert api.home_ids(reader) == [tweet]
    assert code(api.call(author, "PUT", "/blocking/9000000000000000000")) == (404, "not_found")


def test_a_user_is_found_by_handle_in_whatever_case(api: Any) -> None:
    account = {"handle": f"Ada{uuid.uuid4().hex[:8]}", "password": "correct horse"}
    created = api.call(None, "POST", "/users", json=account).json()
    assert api.call(None, "GET", f"/handles/{account['handle'].lower()}").json() == created
    for nobody in ("nobody_at_all", "x" * 200, "%0d%0aX-Evil:%201", "é", "a%20b", "%00"):
        assert code(api.call(None, "GET", f"/handles/{nobody}")) == (404, "not_found")


@pytest.mark.breaks
def test_what_a_silent_shard_would_have_to_say_is_unavailable_and_not_guessed(api: Any, home: Home) -> None:
    author, fan = api.user(), api.user()
    tweets = [new(api, author) for _ in range(12)]
    here, there = (next(tweet for tweet in tweets if ids.shard_of(int(tweet)) == shard) for shard in (0, 1))
    deciders.write(home, "tweet_cache", deciders.OFF, by="test")
    deciders.write(home, "replica_reads", deciders.OFF, by="test")
    time.sleep(2 * deciders.POLL_SECONDS)
    Control(home).pause("tweets-db-1-primary")
    assert api.call(None, "GET", f"/tweets/{here}").json()["retweets"] == 0, "counters are asked, and not the shards of all retweets"
    assert code(api.call(fan, "PUT", f"/tweets/{there}/retweet")) == (503, "unavailable")
    assert api.call(None, "GET", f"/tweets/{there}").status_code in (503, 504)
    assert api.call(fan, "PUT", f"/tweets/{there}/like").status_code == 503
    assert api.call(author, "DELETE", f"/tweets/{there}").status_code == 503
    assert like(api, fan, here).status_code == 204
