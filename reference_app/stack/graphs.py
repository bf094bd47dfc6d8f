"""Who follows whom: read from an edge list. Nothing is loaded from a file with a bad line; all bad lines are reported at once.

An edge list has a pair per line, separated by spaces, tabs or a comma; `#` and `%` start comments; the first line may be a header.
A label is any token without spaces. `a b` of a directed list means that a follows b; of an undirected one that both follow each other.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HANDLE_MAX = 15
_GZIP_MAGIC = b"\x1f\x8b"
_COMMENTS = ("#", "%")


@dataclass(frozen=True)
class Graph:
    """User i (from 1) has `handles[i - 1]`; an edge is (follower, followee), in order, each once."""

    handles: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]

    def top_followers(self) -> int:
        """The largest follower count."""
        counts = [0] * (len(self.handles) + 1)
        for _, followee in self.edges:
            counts[followee] += 1
        return max(counts)


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
    with gzip.open(path) if packed else path.open("rb") as file:
        return parse(file, directed=directed)


def parse(lines: Iterable[bytes], *, directed: bool) -> Parsed:
    """The graph of these lines. Raises BadLinesError."""
    bad: list[BadLine] = []
    rows = list(_rows(lines, bad))
    header = rows.pop(0)[1] if _starts_with_header(rows) else None
    pairs = []
    for number, text in rows:
        fields = _fields(text)
        if wrong := _wrong(fields):
            bad.append(BadLine(number, text, wrong))
        else:
            pairs.append((fields[0], fields[1]))
    if bad:
        raise BadLinesError(sorted(bad, key=lambda line: line.number))
    if not pairs:
        raise BadLinesError([BadLine(1, "", "the file has no pair at all")])
    return _assemble(pairs, directed=directed, header=header)


def _rows(lines: Iterable[bytes], bad: list[BadLine]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            bad.append(BadLine(number, repr(line[:80]), "not UTF-8"))
            continue
        if text and not text.startswith(_COMMENTS):
            yield number, text


def _fields(text: str) -> list[str]:
    return [field.strip() for field in text.split(",")] if "," in text else text.split()


def _wrong(fields: Sequence[str]) -> str:
    """Why these fields are not a pair; empty when they are."""
    labels = sum(1 for field in fields if field)
    if len(fields) != 2 or labels != 2:
        return f"expected two labels, found {labels}"
    return "a label has a space in it" if any(re.search(r"\s", field) for field in fields) else ""


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


def _assemble(pairs: Sequence[tuple[str, str]], *, directed: bool, header: str | None) -> Parsed:
    ids = _numbered({label: None for pair in pairs for label in pair})
    seen: set[tuple[int, int]] = set()
    self_loops = 0
    for a, b in pairs:
        edge = (ids[a], ids[b])
        self_loops += a == b
        if a != b:
            seen.add(edge if directed else (min(edge), max(edge)))
    duplicates = len(pairs) - self_loops - len(seen)
    edges = seen if directed else seen | {(b, a) for a, b in seen}
    return Parsed(Graph(handles(list(ids)), tuple(sorted(edges))), duplicates, self_loops, header)


def _numbered(labels: dict[str, None]) -> dict[str, int]:
    """Ids from 1: numbers in their order, so that label and id agree where they can; words in the order of their appearance."""
    ordered = sorted(labels, key=int) if all(label.isdecimal() for label in labels) else list(labels)
    return {label: number for number, label in enumerate(ordered, 1)}


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
