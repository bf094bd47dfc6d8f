"""Coverage of detection as a table: kinds of fault by what they hit, each cell in colour and in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.console.draw import markup, units
from postmortems.scorecard import Cell, Share

TONES = {"seen": "fw-seen", "some": "fw-some", "unseen": "fw-unseen"}


@dataclass(frozen=True)
class Square:
    """What happened with the drills of one kind at one component. `tip` names the alerts that told first."""

    tone: str
    word: str
    note: str
    tip: str


@dataclass(frozen=True)
class Row:
    """A kind of fault; a square is None where nobody broke that."""

    kind: str
    squares: tuple[Square | None, ...]


def columns(cells: Sequence[Cell]) -> list[str]:
    """What was hit, in alphabetical order."""
    return sorted({cell.component for cell in cells})


def rows(cells: Sequence[Cell]) -> list[Row]:
    """A row per kind."""
    by_place = {(cell.kind, cell.component): cell for cell in cells}
    names = columns(cells)
    kinds = sorted({cell.kind for cell in cells})
    return [Row(kind, tuple(_square(by_place[kind, name]) if (kind, name) in by_place else None for name in names)) for kind in kinds]


def html(cells: Sequence[Cell]) -> str:
    """The table as markup."""
    return markup.render("matrix", columns=columns(cells), rows=rows(cells))


def told(share: Share) -> str:
    """`9 of 10 (60-98 %)`: a count with its interval."""
    return f"{share.count} of {share.of} ({100 * share.low:.0f}-{100 * share.high:.0f} %)" if share.of else units.NONE


def _square(cell: Cell) -> Square:
    tone = "seen" if cell.detected == cell.drills else "some" if cell.detected else "unseen"
    word = {"seen": "✓ noticed", "some": "◐ in part", "unseen": "✕ missed"}[tone]
    note = f"{cell.detected} of {cell.drills}" + (f", {units.seconds(cell.after_s)}" if cell.after_s is not None else "")
    return Square(
        TONES[tone],
        word,
        note,
        f"first told by: {', '.join(cell.alerts) or 'nobody'}; it or who calls it named in {cell.right} of {cell.drills}",
    )
