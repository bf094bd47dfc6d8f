"""What a word is: the same for tweets and for queries."""

from __future__ import annotations

import sys
import unicodedata

import regex

from reference_app.contract import api
from reference_app.kit import errors

_WORD = regex.compile(r"[#@]?\w+")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー]+")
"""Scripts that put no space between words: a run of them counts as its overlapping pairs of characters (as in Lucene's CJKBigramFilter)."""


def words(text: str) -> frozenset[str]:
    """The distinct words of a text, casefolded. A hashtag or handle is a word with its sign, and one without it."""
    return frozenset(word for found in _found(text) for word in _spellings(found))


def hashtags(text: str) -> frozenset[str]:
    """The distinct hashtags of a text, casefolded, with their sign; a number is none (twitter-text)."""
    return frozenset(sys.intern(found) for found in _found(text) if found[0] == "#" and not found[1:].isdigit())


def query_words(text: str) -> frozenset[str]:
    """The words that a tweet must have, all of them. Raises AppError invalid when there are none."""
    wanted = frozenset(word for found in _found(text) for word in _wanted(found))
    if not (1 <= len(text) <= api.QUERY_MAX and wanted):
        raise errors.AppError("invalid", f"q must have 1 to {api.QUERY_MAX} characters and at least one word, #hashtag or @handle")
    return wanted


def _found(text: str) -> list[str]:
    found: list[str] = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return found


def _spellings(found: str) -> list[str]:
    return [sys.intern(word) for word in (_wanted(found) if found[0] not in "#@" else [found, *_wanted(found[1:])])]


def _wanted(found: str) -> list[str]:
    """A tagged word stays whole; others fall apart where the script changes to one without spaces."""
    if found[0] in "#@" or not _UNSPACED.search(found):
        return [found]
    spaced = [part for part in _UNSPACED.split(found) if part]
    return spaced + [pair for run in _UNSPACED.findall(found) for pair in _pairs(run)]


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(max(1, len(run) - 1))]
