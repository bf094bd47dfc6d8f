"""The rule of tweet length, on cases of its own and on twitter-text's conformance file where that is at hand."""

from __future__ import annotations

import time
import unicodedata
from typing import Any

import pytest
import yaml

from reference_app.contract import api
from reference_app.kit.weighted_length import weighted_length
from tests.conftest import SHARED_DATA

CONFORMANCE = SHARED_DATA / "tweet-text" / "validate.yml"
WITH_EMOJI_AS_UNITS = ("WeightedTweetsWithDiscountedEmojiCounterTest", "UnicodeDirectionalMarkerCounterTest")
"""Groups of the file that are about config v3; WeightedTweetsCounterTest is v2's, which weighs every part of an emoji."""


def conformance() -> list[dict[str, Any]]:
    if not CONFORMANCE.exists():
        return []
    groups = yaml.safe_load(CONFORMANCE.read_text())["tests"]
    return [case for group in WITH_EMOJI_AS_UNITS for case in groups[group]]


@pytest.mark.parametrize("case", conformance(), ids=lambda case: case["description"])
def test_the_conformance_file_agrees(case: dict[str, Any]) -> None:
    assert weighted_length(unicodedata.normalize("NFC", case["text"])) == case["expected"]["weightedLength"]


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("goal!\n", 6),
        ("naïve гол هدف", 13),
        ("ゴール", 6),
        ("“quoted” twice", 14),
        ("•", 2),
        ("👍", 2),
        ("👍🏽", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("👩🏻‍❤️‍💋‍👨🏻", 2),
        ("🇯🇵🇧🇷", 4),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 2),
        ("1️⃣ 1", 4),
        ("© ©️", 4),
        ("☺︎", 4),
        ("👨‍👨‍👨‍👨‍👨", 5),
        ("https://example.com/a/very/long/path?with=a&query=too", 23),
        ("see example.com.", 28),
        ("見てexample.com", 27),
        ("http://例え.jp/x", 23),
        ("(https://en.wikipedia.org/wiki/Whale_(disambiguation))", 25),
        ("example.com and t.co/abc", 51),
        ("me@example.com", 14),
        ("#example.com", 12),
        ("ftp.example", 11),
        ("http://localhost/", 17),
        ("1.5 of 2.0", 10),
        ("http://t.co/" + "a" * 41, 53),
    ],
)
def test_characters_emoji_and_urls_weigh_what_readers_see(text: str, weight: int) -> None:
    assert weighted_length(text) == weight


@pytest.mark.parametrize("hostile", ["a." * 560, "あ." * 560, "-a" * 560 + ".", "http://a.com/" + "(" * 500, "ああ." * 370, "👨‍" * 500])
def test_no_text_takes_long_to_weigh(hostile: str) -> None:
    weighted_length("warm.up 👍")
    began = time.process_time()
    weighted_length(hostile)
    assert time.process_time() - began < 0.2


def test_what_is_stored_fits_into_an_event() -> None:
    assert api.TEXT_STORED_MAX * 4 + 200 < 8192
