"""How a figure is written in a text, and the invisible mark behind it by which `check` finds it again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from postmortems.model import Figure, Unit

NOT_AVAILABLE = "not available"
MARK = re.compile(r"<!-- fig:(?P<name>[^\s>]+) -->")
_NUMBER_CONTINUES = re.compile(r"[\d.,:+\-]$")
_GOES_ON = re.compile(r"[.,:]?\d[\d.,:]*|[\w%]+")
"""What stands right behind a mark and is read as one word with what is before it."""


@dataclass(frozen=True)
class Stated:
    """What a text says at a mark: `text` runs from the mark or line start before it to where its last word ends. `line` counts from 1."""

    name: str
    text: str
    line: int

    def says(self, expected: str) -> bool:
        """True when the words right before the mark are `expected`, and not the tail of another number."""
        text = self.text.rstrip()
        return text.endswith(expected) and not _NUMBER_CONTINUES.search(text[: len(text) - len(expected)])


def text(figure: Figure) -> str:
    """The figure in words; None reads "not available"."""
    return NOT_AVAILABLE if figure.value is None else _WRITERS[figure.unit](figure.value)


def marked(name: str, figure: Figure) -> str:
    """The figure in words with its mark."""
    return f"{text(figure)}<!-- fig:{name} -->"


def unmarked(markdown: str) -> str:
    """A text without its marks, for readers."""
    return MARK.sub("", markdown)


def stated(markdown: str) -> Iterator[Stated]:
    """Every marked figure of a text, in order."""
    for number, line in enumerate(markdown.splitlines(), 1):
        begin = 0
        for mark in MARK.finditer(line):
            more = _GOES_ON.match(line, mark.end())
            yield Stated(mark["name"], line[begin : mark.start()] + (more[0] if more else ""), number)
            begin = mark.end()


def clock_time(at: float) -> str:
    """`14:03:07 UTC`."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"


def iso_time(at: float) -> str:
    """`2026-11-21T14:03:07Z`."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


_WRITERS: dict[Unit, Callable[..., str]] = {
    "count": "{:,}".format,
    "seconds": "{:,.1f} s".format,
    "milliseconds": "{:,.1f} ms".format,
    "share": lambda value: f"{100 * value:.3g} %",
    "time": clock_time,
    "text": lambda value: " ".join(str(value).replace("|", "/").split()),
    "hash": "`{}`".format,
}
