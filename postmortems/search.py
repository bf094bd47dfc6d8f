"""Postmortems found again: by words of their text, and by likeness: which alerts fired for what, which components were suspected, what users met.

Likeness is the share of common traits (Jaccard): no model, so whoever reads it sees why two are alike.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from postmortems import frontmatter, store, wording
from postmortems.model import Incident

logger = logging.getLogger(__name__)
_TICKED = re.compile(r"`([^`]+)`")
_FACTOR = re.compile(r"factor\.\d+\.component")
_ROW = re.compile(r"timeline\.\d+\.what")


@dataclass(frozen=True)
class Hit:
    """A line of a postmortem in which a word of the query stands; `score` is how many of its words stand in the whole text, 0 to 1."""

    id: str
    title: str
    status: str
    score: float
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Alike:
    """Another incident, how alike it is (0 to 1), and the traits that both have."""

    id: str
    title: str
    likeness: float
    common: tuple[str, ...]


def directories(*roots: Path) -> list[Path]:
    """Every incident below these directories; of one that is in several the first counts."""
    found: dict[str, Path] = {}
    for root in roots:
        for path in sorted(root.glob(f"*/{store.INCIDENT}")):
            found.setdefault(path.parent.name, path.parent)
    return list(found.values())


def search(query: str, among: Iterable[Path], *, shown: int = 3) -> list[Hit]:
    """Postmortems that have every word of the query, or as many as any has; the newest first among equals."""
    words = [word.casefold() for word in query.split()]
    hits = [hit for directory in among if (hit := _hit(words, directory, shown)) is not None]
    best = max((hit.score for hit in hits), default=0.0)
    return sorted((hit for hit in hits if hit.score == best), key=lambda hit: hit.id, reverse=True)


def similar(incident: Incident, among: Iterable[Path], *, least: float = 0.2) -> list[Alike]:
    """Other incidents by likeness, the most alike first; what shares less than `least` of its traits is left out."""
    own = traits(incident)
    others = (_record(path) for path in among if path.name != incident.header.id)
    found = [_alike(own, other) for other in others if other is not None]
    return sorted((one for one in found if one.likeness >= least), key=lambda one: (-one.likeness, one.id))


def traits(incident: Incident) -> frozenset[str]:
    """What it is known by: alerts and what they were about, suspected components, and what users met."""
    texts = {name: str(figure.value) for name, figure in incident.figures.items() if figure.value is not None}
    fired = (text for name, text in texts.items() if _ROW.fullmatch(name) and text.endswith(" fires"))
    suspected = (f"suspected: {text}" for name, text in texts.items() if _FACTOR.fullmatch(name))
    alerts = ("alert: " + " for ".join(_TICKED.findall(text)) for text in fired)
    return frozenset((f"users met: {incident.header.title.partition(' (')[0]}", *alerts, *suspected))


def _record(directory: Path) -> Incident | None:
    """None of one that cannot be read, which hides no other."""
    try:
        return store.read_file(directory / store.INCIDENT)
    except (store.NoIncidentError, UnicodeDecodeError) as error:
        logger.warning("%s is passed over: %s", directory, error)
        return None


def _alike(own: frozenset[str], other: Incident) -> Alike:
    theirs = traits(other)
    likeness = len(own & theirs) / len(own | theirs)
    return Alike(other.header.id, other.header.title, round(likeness, 3), tuple(sorted(own & theirs)))


def _hit(words: Sequence[str], directory: Path, shown: int) -> Hit | None:
    path = directory / store.POSTMORTEM
    if not words or not path.exists() or (incident := _record(directory)) is None:
        return None
    head, text = incident.header, wording.unmarked(frontmatter.body(path.read_text(errors="replace")))
    folded = f"{head.id} {text}".casefold()
    score = sum(word in folded for word in words) / len(words)
    return Hit(head.id, head.title, head.status, round(score, 3), tuple(_lines(words, text, shown))) if score else None


def _lines(words: Sequence[str], text: str, shown: int) -> Iterator[str]:
    """The lines with the most words of the query, in the order of the text."""
    scored = [(sum(word in line.casefold() for word in words), number, line.strip()) for number, line in enumerate(text.splitlines())]
    best = sorted((one for one in scored if one[0]), key=lambda one: (-one[0], one[1]))[:shown]
    return (line for _, _, line in sorted(best, key=lambda one: one[1]))
