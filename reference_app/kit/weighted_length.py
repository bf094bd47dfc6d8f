"""How long a tweet is as its readers count, twitter-text v3: a URL is 23, an emoji 2, and so is a character of CJK scripts or a symbol; all else is 1.

The rules are those of twitter-text's conformance suite (config v3.json). Two things follow Unicode instead of a frozen list: emoji are found by
their grammar (UTS #51), so that new ones count at once, and top-level domains are IANA's of today.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

import regex

URL_WEIGHT, DEFAULT_WEIGHT = 23, 2
LIGHT = (range(4352), range(8192, 8206), range(8208, 8224), range(8242, 8248))
"""Code points of weight 1."""
INVALID = "\ufffe\ufeff\uffff"
"""Byte order marks and a non-character: not allowed in tweets."""
URL_MAX, SLUG_MAX = 4096, 40
"""What is longer is no URL; SLUG_MAX is for links of t.co."""

_TLDS = Path(__file__).with_name("tlds.txt")
_DIRECTIONAL = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_PUNCTUATION = r"""!"#$%&'()*+,\-./:;<=>?@\[\]^_`{|}~"""
_SPACES = r"\x00-\x20\x7f\x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_ACCENTS = (
    r"\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b\u02bb\u0300-\u036f"
    r"\u1e00-\u1eff"
)
_END_OF_DOMAIN = r"(?:(?i:%TLDS%)(?=[^0-9A-Za-z@+\-]|\Z)|(?i:xn--)[0-9A-Za-z]+)"
_LABEL = rf"[^{_DIRECTIONAL}{_PUNCTUATION}{_SPACES}{INVALID}]"
_DOMAIN = rf"(?:{_LABEL}++(?:[_\-]++{_LABEL}++)*+\.)*{_LABEL}++(?:-++{_LABEL}++)*+\.{_END_OF_DOMAIN}"
_ASCII_DOMAIN = rf"(?:[A-Za-z0-9_\-{_ACCENTS}]+\.)+{_END_OF_DOMAIN}"
_PATH_CHARACTER = rf"[A-Za-z0-9\p{{Cyrillic}}\p{{Pd}}{_ACCENTS}!*';:=+,.$/%#\[\]_~&|@]"
_PARENTHESES = rf"\((?:{_PATH_CHARACTER}+|{_PATH_CHARACTER}*\({_PATH_CHARACTER}+\){_PATH_CHARACTER}*)\)"
_PATH_END = rf"(?:[A-Za-z0-9\p{{Cyrillic}}{_ACCENTS}=_#/+\-]|{_PARENTHESES})"
_PATH = rf"/(?:(?:{_PATH_CHARACTER}|{_PARENTHESES})*{_PATH_END})?"
_QUERY = r"\?[A-Za-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@]*[A-Za-z0-9_&=#/\-]"
# The two looks behind pass over starts inside of a name whose own start has failed: without them a tweet of dots takes half a second.
_BEFORE = rf"(?:\A|[^A-Za-z0-9@\uff20$#\uff03{INVALID}])"
_URL = (
    rf"(?P<before>{_BEFORE})(?<!{_BEFORE}{_LABEL})"
    rf"(?P<url>(?:(?P<protocol>(?i:https?)://)|(?<!{_LABEL}[._\-]))(?P<domain>{_DOMAIN})(?::[0-9]+)?(?P<path>{_PATH})?(?:{_QUERY})?)"
)
_T_CO = r"(?i:https?://t\.co)/(?P<slug>[A-Za-z0-9]+)"

_ELEMENT = r"(?:\p{Emoji_Modifier_Base}\p{Emoji_Modifier}|\p{Extended_Pictographic}\uFE0F?)"
_REGIONS = "|".join("".join(chr(0xE0000 + ord(letter)) for letter in region) for region in ("gbeng", "gbsct", "gbwls"))
_EMOJI = (
    rf"[#*0-9]\uFE0F?\u20E3|\p{{RI}}\p{{RI}}|\U0001F3F4(?:{_REGIONS})\U000E007F|{_ELEMENT}(?:\u200D{_ELEMENT}){{1,3}}"
    r"|\p{Emoji_Modifier_Base}\p{Emoji_Modifier}|(?![\u00A9\u00AE](?!\uFE0F))\p{Extended_Pictographic}(?:\uFE0F|(?!\uFE0E))"
)
"""At most four joined elements, as in the longest families: a chain without end must not weigh 2."""

_SYMBOL = "\u2b50"
"""Stands for an emoji: one character of the default weight."""


def weighted_length(text: str) -> int:
    """Weighted length of a text that is in NFC already; a tweet may have `contract.api.TEXT_MAX`."""
    length, position = 0, 0
    for start, end in _urls(text):
        length += _weight(text[position:start]) + URL_WEIGHT
        position = end
    return length + _weight(text[position:])


def _weight(text: str) -> int:
    if text.isascii() and "\u20e3" not in text:
        return len(text)
    bare = _compiled(_EMOJI).sub(_SYMBOL, text)
    return sum(1 if any(ord(character) in light for light in LIGHT) else DEFAULT_WEIGHT for character in bare)


def _urls(text: str) -> Iterator[tuple[int, int]]:
    if "." not in text:
        return
    for match in _compiled(_URL).finditer(text):
        if match["protocol"]:
            yield from _with_protocol(match)
        elif match["before"] not in ("-", "_", ".", "/"):
            yield from _bare(match)


def _with_protocol(match: regex.Match[str]) -> Iterator[tuple[int, int]]:
    start, end = match.span("url")
    short = _compiled(_T_CO).match(match["url"])
    if short and len(short["slug"]) > SLUG_MAX:
        return
    if short:
        end = start + short.end()
    if _resolvable(match["domain"], url_length=end - start):
        yield start, end


def _bare(match: regex.Match[str]) -> Iterator[tuple[int, int]]:
    """Without protocol only the ASCII part of a domain counts; what follows the domain belongs to the last such part."""
    offset, length = match.start("domain"), len(match["url"]) + len("https://")
    found = [
        (offset + part.start(), offset + part.end())
        for part in _compiled(_ASCII_DOMAIN).finditer(match["domain"])
        if _resolvable(part[0], url_length=length)
    ]
    if found and match["path"]:
        found[-1] = (found[-1][0], match.end("url"))
    yield from found


def _resolvable(domain: str, *, url_length: int) -> bool:
    """Whether the name exists as ASCII (IDNA), where a label has at most 63 characters."""
    try:
        encoded = domain.encode("idna")
    except UnicodeError:
        return False
    return url_length + max(0, len(encoded) - len(domain)) <= URL_MAX


@functools.cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern.replace("%TLDS%", _any_of(_tlds())) if "%TLDS%" in pattern else pattern)


def _tlds() -> list[str]:
    names = [line for line in _TLDS.read_text().split("\n") if line and not line.startswith("#")]
    return [name.encode().decode("idna") if name.startswith("xn--") else name for name in names]


def _any_of(words: Iterable[str]) -> str:
    """A pattern of the words by their common beginnings, the longest first: a set of words takes ten times as long, at every dot."""
    tails: dict[str, list[str]] = {}
    for word in words:
        tails.setdefault(word[:1], []).append(word[1:])
    branches = [regex.escape(head) + _any_of(rest) for head, rest in tails.items() if head]
    return f"(?:{'|'.join(branches)}){'?' if '' in tails else ''}" if branches else ""
