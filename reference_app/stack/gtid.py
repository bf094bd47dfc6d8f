"""Positions of MariaDB's global transaction ids, `domain-server-number[,...]`, and which of them somebody lacks. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Gtid:
    """`number` grows by one with each transaction of a domain, whichever server it comes from."""

    domain: int
    server: int
    number: int

    def __str__(self) -> str:
        return f"{self.domain}-{self.server}-{self.number}"


def parse(text: str) -> Gtid:
    """One id. Raises ValueError with what was wrong."""
    try:
        domain, server, number = map(int, text.split("-"))
    except ValueError:
        raise ValueError(f"{text!r} is no transaction id such as 0-18024-17") from None
    return Gtid(domain, server, number)


def position(text: str) -> list[Gtid]:
    """The ids of a position or of a binlog state; an empty one has none."""
    return [parse(part.strip()) for part in text.split(",") if part.strip()]


def errant(theirs: str, *known: str) -> list[Gtid]:
    """Ids at which `theirs` ends and that none of the `known` positions and binlog states reached: transactions that only they have."""
    reached = list(_all(known))
    return [last for last in position(theirs) if not any(_reaches(gtid, last) for gtid in reached)]


def _all(texts: tuple[str, ...]) -> Iterator[Gtid]:
    for text in texts:
        yield from position(text)


def _reaches(known: Gtid, wanted: Gtid) -> bool:
    return (known.domain, known.server) == (wanted.domain, wanted.server) and known.number >= wanted.number
