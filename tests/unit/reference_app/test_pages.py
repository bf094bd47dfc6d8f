from __future__ import annotations

import msgspec
import pytest

from reference_app.contract import ids
from reference_app.contract.api import Tweet
from reference_app.kit import pages
from reference_app.kit.pages import PublicPage, PublicPageTweet

FIRST, SECOND = (ids.compose(unix_ms=1_700_000_000_001 + n, shard=0, process=0, sequence=0) for n in range(2))


def test_ids_are_strings_and_a_page_is_partial_when_something_is_missing() -> None:
    shown = pages.page_tweet(Tweet(FIRST, 7, "hi"), {}, {7: "ada"})
    assert pages.page([shown], next_cursor=FIRST, missing={"tweets": 1}) == PublicPage(
        [PublicPageTweet(str(FIRST), "7", "ada", "hi", "2023-11-14T22:13:20.001Z")], str(FIRST), partial=True, missing={"tweets": 1}
    )


def test_a_retweet_shows_its_original_with_its_author() -> None:
    shown = pages.page_tweet(Tweet(SECOND, 7, "", retweet_of=FIRST), {FIRST: Tweet(FIRST, 8, "hi", in_reply_to=5)}, {7: "ada"})
    assert (shown.handle, shown.text, shown.in_reply_to) == ("ada", "", None)
    assert shown.retweet_of == PublicPageTweet(str(FIRST), "8", "", "hi", "2023-11-14T22:13:20.001Z", in_reply_to="5")


def test_an_encoded_page_tells_whether_something_is_missing() -> None:
    assert pages.is_complete(msgspec.json.encode(pages.page([], next_cursor=None, missing={})))
    assert not pages.is_complete(msgspec.json.encode(pages.page([], next_cursor=None, missing={"graph": 1})))


def test_no_text_of_a_tweet_makes_a_partial_page_look_complete() -> None:
    forged = pages.page_tweet(Tweet(FIRST, 7, '"partial":false,"missing":{}}'), {}, {})
    assert not pages.is_complete(msgspec.json.encode(pages.page([forged], next_cursor=None, missing={"tweets": 1})))


@pytest.mark.parametrize("millisecond", range(0, 1000, 37))
def test_the_creation_time_is_exact_to_the_millisecond(millisecond: int) -> None:
    tweet_id = ids.compose(unix_ms=1_700_000_000_000 + millisecond, shard=0, process=0, sequence=0)
    assert pages.created_at(tweet_id) == f"2023-11-14T22:13:20.{millisecond:03d}Z"
