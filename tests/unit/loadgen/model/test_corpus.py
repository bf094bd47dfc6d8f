from __future__ import annotations

from pathlib import Path

import pytest

from loadgen.model import corpus

TWEETS = Path(__file__).resolve().parents[5] / "shared" / "data" / "tweets" / "tweets.csv"


def parse(text: str, *, as_csv: bool = False) -> corpus.Corpus:
    return corpus.parse(text.encode().splitlines(keepends=True), as_csv=as_csv)


def test_a_plain_file_has_a_tweet_per_line_commas_and_quotes_included() -> None:
    assert parse('\ufeffone, "two"\n\n  three  \n').texts == ('one, "two"', "three")


def test_a_csv_gives_its_text_column_newlines_inside_of_it_included() -> None:
    found = parse('when,TEXT,who\n1,"a ""b"",\nsecond line",x\n\n2,c,y\n', as_csv=True)
    assert found.texts == ('a "b",\nsecond line', "c")


def test_what_cannot_be_a_tweet_is_skipped_and_counted_by_reason() -> None:
    found = parse(f"ok\n\n{'x' * 280}\n{'x' * 281}\n{'漢' * 141}\n \n")
    assert found.texts == ("ok", "x" * 280)
    assert found.skipped == {corpus.EMPTY: 2, corpus.TOO_LONG: 2}


def test_texts_are_composed() -> None:
    assert parse("cafe\u0301\n").texts == ("café",)


@pytest.mark.parametrize(
    ("lines", "as_csv", "number", "says"),
    [
        (b"a\n\xff\xfe\nb\n", False, 2, "not UTF-8"),
        (b"id,body\n1,a\n", True, 1, "a .csv file needs a column named 'text'; this one has id, body"),
        (b"", True, 1, "this one has nothing"),
        (b"id,text\n1,a\n2\n", True, 3, "1 fields, the header has 2"),
        (b"id,text\n1,a,b\n", True, 2, "3 fields, the header has 2"),
        (b'id,text\n1,"a"b\n', True, 2, "not CSV"),
        (b'id,text\n1,"never closed\n2,b\n', True, 3, "not CSV"),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_nothing_is_returned(lines: bytes, number: int, says: str, *, as_csv: bool) -> None:
    with pytest.raises(corpus.BadCorpusError) as caught:
        corpus.parse(lines.splitlines(keepends=True), as_csv=as_csv)
    assert caught.value.bad[0].number == number
    assert says in caught.value.bad[0].reason


def test_a_file_without_a_tweet_is_refused() -> None:
    with pytest.raises(corpus.BadCorpusError, match=r"no text that can be a tweet \(2 lines were skipped\)"):
        parse("\n \n")


@pytest.mark.skipif(not TWEETS.exists(), reason=f"the real tweets are not beside the checkout: {TWEETS}")
def test_real_tweets_with_emoji_and_newlines_are_read_whole() -> None:
    found = corpus.read(TWEETS)
    assert len(found.texts) + sum(found.skipped.values()) == 6059
    assert any("\n" in text for text in found.texts)
    assert any("🇮🇪" in text for text in found.texts)
