"""What is a word, in tweets and in queries."""

from __future__ import annotations

import pytest

from reference_app.kit import errors
from reference_app.services.search import domain


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, WORLD!", {"hello", "world"}),
        ("straße STRASSE", {"strasse"}),
        ("naïve nai\N{COMBINING DIAERESIS}ve", {"naïve"}),
        ("नमस्ते दुनिया", {"नमस्ते", "दुनिया"}),
        ("гол نعم 골", {"гол", "نعم", "골"}),
        ("#WorldCup @Bob", {"#worldcup", "worldcup", "@bob", "bob"}),
        ("＃ｇｏａｌ", {"#goal", "goal"}),  # noqa: RUF001
        ("すごい", {"すご", "ごい"}),
        ("東京gogo", {"東京", "gogo"}),
        ("東", {"東"}),
        ("🐋 … !!", set()),
    ],
)
def test_words_are_casefolded_and_of_any_script(text: str, words: set[str]) -> None:
    assert domain.words(text) == words


def test_a_hashtag_is_more_than_a_number() -> None:
    assert domain.hashtags("#Goal #goal #100 goal ##x") == {"#goal", "#x"}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("goal Goal", {"goal"}),
        ("#goal", {"#goal"}),
        ("@Bob scored", {"@bob", "scored"}),
        ("東京タワー", {"東京", "京タ", "タワ", "ワー"}),
        ("#東京", {"#東京"}),
    ],
)
def test_a_query_asks_for_words_that_tweets_have(query: str, words: set[str]) -> None:
    assert domain.query_words(query) == words
    assert domain.query_words(query) <= domain.words(query)


@pytest.mark.parametrize("query", ["", "   ", "🐋", "#", "x" * 101])
def test_a_query_without_a_word_is_invalid(query: str) -> None:
    with pytest.raises(errors.AppError, match="at least one word"):
        domain.query_words(query)
