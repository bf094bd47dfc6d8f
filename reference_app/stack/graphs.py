"""Who follows whom: read from an edge list. Nothing is loaded from a file with a bad line; all bad lines are reported at once.

An edge list has a pair per line, separated by spaces, tabs or a comma; `#` and `%` start comments; the first line may be a header.
A label is any token without spaces. `a b` of a directed list means that a follows b; of an undirected one that both follow each other.
"""

from __future__ import annotations

import gzip
import re
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

HANDLE_MAX = 15
LINE_KEPT = 80
"""Characters of a bad line that are shown."""
_GZIP_MAGIC = b"\x1f\x8b"
_COMMENTS = ("#", "%")


@dataclass(frozen=True, eq=False)
class Graph:
    """User i (from 1) has `handles[i - 1]`; `edges` has a row (follower, followee) per edge, in order, each once (shape (n, 2))."""

    handles: tuple[str, ...]
    edges: Ids

    def follower_counts(self) -> Ids:
        """Followers of user i at index i; nobody has index 0."""
        return np.bincount(self.edges[:, 1], minlength=len(self.handles) + 1)

    def top_followers(self) -> int:
        """The largest follower count."""
        return int(self.follower_counts().max())


def of(handles: Sequence[str], pairs: Iterable[tuple[int, int]]) -> Graph:
    """The graph of these pairs."""
    return Graph(tuple(handles), distinct(np.array(list(pairs), dtype=np.int64).reshape(-1, 2)))


def distinct(edges: Ids) -> Ids:
    """Each edge once, in order. By sorting: np.unique hashes, which takes ten times as long for a million."""
    base = int(edges.max(initial=0)) + 1
    keys = np.sort(edges[:, 0] * base + edges[:, 1])
    return np.column_stack(np.divmod(keys[np.diff(keys, prepend=-1) > 0], base))


@dataclass(frozen=True)
class Parsed:
    """What a file held. `duplicates` and `self_loops` were dropped; `header` is the line that was taken for one."""

    graph: Graph
    duplicates: int
    self_loops: int
    header: str | None


@dataclass(frozen=True)
class BadLine:
    """A line that is not a pair; `number` counts from 1."""

    number: int
    text: str
    reason: str


class BadLinesError(Exception):
    """The file has lines that are not pairs, or has none at all."""

    def __init__(self, bad: Sequence[BadLine]) -> None:
        super().__init__(f"{len(bad)} bad lines, the first is line {bad[0].number}: {bad[0].reason}")
        self.bad = tuple(bad)


def read(path: Path, *, directed: bool) -> Parsed:
    """The graph of a plain or gzip file. Raises OSError when it cannot be read and BadLinesError when it is not an edge list."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP_MAGIC
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            return parse(file, directed=directed)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise OSError(f"{path} is gzip, but damaged or not whole ({error}): fetch it again") from error


def parse(lines: Iterable[bytes], *, directed: bool) -> Parsed:
    """The graph of these lines, of which only labels and ids are kept. Raises BadLinesError."""
    bad: list[BadLine] = []
    rows = _rows(lines, bad)
    head = list(islice(rows, 2))
    header = head.pop(0)[1] if _starts_with_header(head) else None
    labels: dict[str, int] = {}
    ends = array("q")
    for number, text in chain(head, rows):
        fields = _fields(text)
        if wrong := _wrong(fields):
            bad.append(BadLine(number, text[:LINE_KEPT], wrong))
        else:
            ends.append(labels.setdefault(fields[0], len(labels)))
            ends.append(labels.setdefault(fields[1], len(labels)))
    if bad:
        raise BadLinesError(sorted(bad, key=lambda line: line.number))
    if not ends:
        raise BadLinesError([BadLine(1, "", "the file has no pair at all")])
    return _assemble(labels, np.frombuffer(ends, dtype=np.int64).reshape(-1, 2), directed=directed, header=header)


def _rows(lines: Iterable[bytes], bad: list[BadLine]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            bad.append(BadLine(number, repr(line[:LINE_KEPT]), "not UTF-8"))
            continue
        if text and not text.startswith(_COMMENTS):
            yield number, text


def _fields(text: str) -> list[str]:
    return [field.strip() for field in text.split(",")] if "," in text else text.split()


def _wrong(fields: Sequence[str]) -> str:
    """Why these fields are not a pair; empty when they are."""
    if len(fields) != 2 or not (fields[0] and fields[1]):
        return f"expected two labels, found {sum(1 for field in fields if field)}"
    return "a label has a space in it" if len(fields[0].split()) > 1 or len(fields[1].split()) > 1 else ""


def _starts_with_header(rows: Sequence[tuple[int, str]]) -> bool:
    """Words above numbers (`from,to` or `81306,1342310,u,graph` above `1,2`), or the usual column names above anything."""
    if not rows:
        return False
    first = _fields(rows[0][1])
    if len(first) == 2 and all(field.strip('"').lower() in _COLUMN_NAMES for field in first):
        return True
    words = [not field.isdecimal() for field in first]
    numbers_follow = len(rows) > 1 and all(field.isdecimal() for field in _fields(rows[1][1]))
    return len(first) >= 2 and numbers_follow and (all(words) if len(first) == 2 else any(words))


_COLUMN_NAMES = frozenset(
    (
        "source",
        "target",
        "src",
        "dst",
        "from",
        "to",
        "follower",
        "followee",
        "followed",
        "user",
        "friend",
        "node1",
        "node2",
        "id1",
        "id2",
        "u",
        "v",
    )
)


def _assemble(labels: dict[str, int], ends: Ids, *, directed: bool, header: str | None) -> Parsed:
    """`ends` are pairs of indices into `labels`."""
    ordered = _ordered(labels)
    ids = np.empty(len(labels), dtype=np.int64)
    ids[[labels[label] for label in ordered]] = np.arange(1, len(labels) + 1)
    pairs = ids[ends]
    others = pairs[pairs[:, 0] != pairs[:, 1]]
    seen = distinct(others if directed else np.sort(others, axis=1))
    edges = seen if directed else distinct(np.concatenate((seen, seen[:, ::-1])))
    return Parsed(Graph(handles(ordered), edges), len(others) - len(seen), len(pairs) - len(others), header)


def _ordered(labels: Iterable[str]) -> list[str]:
    """By number where all are numbers, so that label and id agree where they can; words in the order of their appearance."""
    found = list(labels)
    return sorted(found, key=int) if all(label.isdecimal() for label in found) else found


def handles(labels: Sequence[str]) -> tuple[str, ...]:
    """`u<label>` for each, made a handle (letters, digits, underscore, at most 15) and unique without regard to case."""
    wanted = [f"u{label}" for label in labels]
    given: dict[str, int] = {}
    for index, name in enumerate(wanted):
        if re.fullmatch(rf"\w{{1,{HANDLE_MAX}}}", name, re.ASCII):
            given.setdefault(name.lower(), index)
    return tuple(name if given.get(name.lower()) == index else _altered(name, index, given) for index, name in enumerate(wanted))


def _altered(name: str, index: int, given: dict[str, int]) -> str:
    stem = re.sub(r"\W", "_", name, flags=re.ASCII)
    number = index + 1
    while True:
        suffix = f"_{number}"
        handle = stem[: HANDLE_MAX - len(suffix)] + suffix
        if given.setdefault(handle.lower(), index) == index:
            return handle
        number += 1
