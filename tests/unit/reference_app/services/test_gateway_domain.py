from __future__ import annotations

import pytest

from reference_app.contract import api, ids
from reference_app.kit import errors, pages
from reference_app.services.gateway import domain

FIRST, SECOND, THIRD = (ids.compose(unix_ms=1_700_000_000_000 + n, shard=1, process=0, sequence=n) for n in (1, 2, 3))


def tweet(tweet_id: int) -> api.Tweet:
    return api.Tweet(tweet_id, 7, f"tweet {tweet_id}")


def code_of(caught: pytest.ExceptionInfo[errors.AppError]) -> str:
    return caught.value.code


@pytest.mark.parametrize(
    "text", ["a", "two\nlines", "x" * 280, "👩‍👩‍👧", "🐋" * 140, "字" * 140, "a\u200e", f"https://example.com/{'x' * 900}"]
)
def test_a_text_of_weight_1_to_280_is_a_tweet(text: str) -> None:
    assert domain.tweet_text(text) == text


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\u3000", "x" * 281, "🐋" * 141, "字" * 140 + "x", "bell\a", "tab\t", "null\0", "return\r", "delete\x7f", "next\x85",
     "\ufeffbom", "a\ufffe", "a\uffff", "👩🏻‍❤️‍💋‍👨🏻" * 140, f"https://example.com/{'x' * 1101}"],
)  # fmt: skip
def test_a_text_that_is_blank_too_long_or_holds_what_no_tweet_may_is_invalid(text: str) -> None:
    with pytest.raises(errors.AppError) as caught:
        domain.tweet_text(text)
    assert code_of(caught) == "invalid"


def test_characters_are_counted_and_kept_in_composed_form() -> None:
    assert domain.tweet_text("e\N{COMBINING ACUTE ACCENT}" * 280) == "é" * 280


@pytest.mark.parametrize("key", ["k", "a key with spaces", "~" * 64])
def test_printable_ascii_makes_a_key(key: str) -> None:
    assert domain.idempotency_key(key) == key


@pytest.mark.parametrize(
    ("key", "code"),
    [(None, "bad_request"), ("", "invalid"), ("k" * 65, "invalid"), ("é", "invalid"), ("\t", "invalid"), ("rt:1", "invalid")],
)
def test_a_missing_or_malformed_key_is_refused(key: str | None, code: str) -> None:
    with pytest.raises(errors.AppError) as caught:
        domain.idempotency_key(key)
    assert code_of(caught) == code


@pytest.mark.parametrize("header", ["Bearer 1.2.abc", "bearer  1.2.abc"])
def test_the_token_is_what_follows_the_scheme(header: str) -> None:
    assert domain.bearer_token(header) == "1.2.abc"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dTpw", "1.2.abc"])
def test_a_header_without_a_bearer_token_is_unauthorized(header: str | None) -> None:
    with pytest.raises(errors.AppError) as caught:
        domain.bearer_token(header)
    assert code_of(caught) == "unauthorized"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NeverSent("tweets-0", "refused"), "unavailable"),
        (errors.OutcomeUnknown("tweets-0", "lost"), "unavailable"),
        (errors.OutcomeUnknown("tweets-0", "timeout"), "deadline_exceeded"),
    ],
)
def test_a_read_that_failed_is_unavailable_unless_it_ran_out_of_time(error: errors.CallError, code: str) -> None:
    assert domain.read_failure(error).code == code


NONE = api.Tweets([], [], [])


def test_a_page_keeps_the_order_found_and_drops_deleted_tweets_silently() -> None:
    found = api.TweetIds([THIRD, SECOND, FIRST], complete=True)
    tweets = api.Tweets([tweet(FIRST), tweet(THIRD)], deleted=[SECOND], unavailable=[])
    page = domain.page_of(found, tweets, NONE, {7: "ada"}, limit=20)
    assert [(t.id, t.handle) for t in page.tweets] == [(str(THIRD), "ada"), (str(FIRST), "ada")]
    assert (page.next_cursor, page.missing) == (None, {})


def test_a_full_page_goes_on_after_the_last_id_even_if_that_tweet_is_deleted() -> None:
    found = api.TweetIds([THIRD, SECOND], complete=True)
    tweets = api.Tweets([tweet(THIRD)], deleted=[SECOND], unavailable=[])
    assert domain.page_of(found, tweets, NONE, {7: "ada"}, limit=2).next_cursor == str(SECOND)


def test_whatever_could_not_be_asked_for_is_counted_as_missing() -> None:
    found = api.TweetIds([SECOND, FIRST], complete=False)
    tweets = api.Tweets([tweet(SECOND)], deleted=[], unavailable=[FIRST])
    page = domain.page_of(found, tweets, NONE, None, limit=20)
    assert page.missing == {"timeline": 1, "tweets": 1, "authors": 1}
    assert [t.handle for t in page.tweets] == [""]
    assert domain.page_of(api.TweetIds([], complete=True), NONE, NONE, None, limit=20).missing == {"authors": 1}


RETWEETS = (api.Tweet(THIRD, 7, "", retweet_of=FIRST), api.Tweet(SECOND, 7, "", retweet_of=FIRST + 1))


def test_a_retweet_shows_its_original_with_its_author() -> None:
    originals = api.Tweets([api.Tweet(FIRST, 8, "first", in_reply_to=5)], [], [])
    page = domain.page_of(api.TweetIds([THIRD], complete=True), api.Tweets([RETWEETS[0]], [], []), originals, {7: "ada"}, limit=20)
    (shown,) = page.tweets
    assert (shown.id, shown.handle, shown.text) == (str(THIRD), "ada", "")
    assert shown.retweet_of is not None
    assert (shown.retweet_of.id, shown.retweet_of.text, shown.retweet_of.in_reply_to) == (str(FIRST), "first", "5")
    assert page.missing == {"authors": 1}


def test_a_retweet_goes_with_its_original_and_is_missing_when_that_is() -> None:
    found = api.TweetIds([THIRD, SECOND], complete=True)
    tweets = api.Tweets(list(RETWEETS), [], [])
    page = domain.page_of(found, tweets, api.Tweets([], [FIRST], [FIRST + 1]), {7: "ada"}, limit=20)
    assert (page.tweets, page.missing) == ([], {"tweets": 1})


def test_a_rendered_tweet_has_what_its_author_wrote() -> None:
    assert domain.rendered_tweet(tweet(FIRST)) == domain.PublicTweet(str(FIRST), "7", f"tweet {FIRST}", "2023-11-14T22:13:20.001Z")


def test_a_counted_tweet_is_a_tweet_of_a_page_and_its_counts() -> None:
    shown = domain.rendered_counted(pages.page_tweet(api.Tweet(FIRST, 7, "hi", in_reply_to=SECOND), {}, {7: "ada"}), domain.Counts(2, 1))
    assert (shown.handle, shown.in_reply_to, shown.likes, shown.retweets) == ("ada", str(SECOND), 2, 1)


@pytest.mark.parametrize("text", ["", "x", "-1", "0", "1.0", "٣", "9223372036854775808", "1" * 5000])
def test_what_is_no_id_is_invalid(text: str) -> None:
    with pytest.raises(errors.AppError, match="in_reply_to must be the id of a tweet") as caught:
        domain.tweet_id(text, "in_reply_to")
    assert code_of(caught) == "invalid"


def test_a_user_who_does_not_exist_is_not_found() -> None:
    assert domain.require_user({7: "ada"}, 7) == "ada"
    with pytest.raises(errors.AppError, match="there is no user 8") as caught:
        domain.require_user({7: "ada"}, 8)
    assert code_of(caught) == "not_found"
