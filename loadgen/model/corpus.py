"""Real words for tweets, from a file: a `.csv` with a column `text`, or any other text file with a tweet per line.

A file that is not what it seems is refused with its line numbers; a text that cannot be a tweet is skipped and counted by reason.
"""

from __future__ import annotations

import csv
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reference_app.contract import api
from reference_app.kit.weighted_length import weighted_length

COLUMN = "text"
EMPTY, TOO_LONG = "empty", f"longer than {api.TEXT_MAX} (weighted)"


@dataclass(frozen=True)
class Corpus:
    """Texts in the order of the file, in composed form (NFC), and how many were skipped by reason."""

    texts: tuple[str, ...]
    skipped: Mapping[str, int]


@dataclass(frozen=True)
class BadLine:
    """`number` counts from 1."""

    number: int
    reason: str


class BadCorpusError(Exception):
    """The file is not a list of texts. `bad` are its first bad lines, none when it has no tweet at all."""

    def __init__(self, message: str, bad: Iterable[BadLine] = ()) -> None:
        super().__init__(message)
        self.bad = tuple(bad)


def read(path: Path) -> Corpus:
    """The texts of a file. Raises OSError and BadCorpusError."""
    with path.open("rb") as file:
        return parse(file, as_csv=path.suffix.lower() == ".csv")


def parse(lines: Iterable[bytes], *, as_csv: bool) -> Corpus:
    """The texts of these lines. Raises BadCorpusError."""
    bad: list[BadLine] = []
    decoded = _decoded(lines, bad)
    texts, skipped = [], Counter[str]()
    for text in _cells(decoded, bad) if as_csv else decoded:
        composed = unicodedata.normalize("NFC", text.strip())
        if reason := _unfit(composed):
            skipped[reason] += 1
        else:
            texts.append(composed)
    if bad:
        raise BadCorpusError(f"{len(bad):,} bad lines, nothing was posted", bad)
    if not texts:
        raise BadCorpusError(f"the file has no text that can be a tweet ({sum(skipped.values()):,} lines were skipped)")
    return Corpus(tuple(texts), dict(skipped))


def _decoded(lines: Iterable[bytes], bad: list[BadLine]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            bad.append(BadLine(number, "not UTF-8"))
            yield "\n"


def _cells(lines: Iterator[str], bad: list[BadLine]) -> Iterator[str]:
    """The column of the texts. A record may have several lines; a bad one is named by its last."""
    rows = csv.reader(lines, strict=True)
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        if COLUMN not in header:
            bad.append(BadLine(1, f"a .csv file needs a column named {COLUMN!r}; this one has {', '.join(header) or 'nothing'}"))
            return
        for row in rows:
            if row and len(row) != len(header):
                bad.append(BadLine(rows.line_num, f"{len(row)} fields, the header has {len(header)}"))
            elif row:
                yield row[header.index(COLUMN)]
    except csv.Error as error:
        bad.append(BadLine(rows.line_num, f"not CSV: {error}"))


def _unfit(text: str) -> str:
    """Why no tweet can be made of it; empty when one can."""
    if not text:
        return EMPTY
    return TOO_LONG if weighted_length(text) > api.TEXT_MAX else ""
