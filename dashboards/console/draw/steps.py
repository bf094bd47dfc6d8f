"""An incident's course as a list: what happened when, each kind in its own colour and word. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.console.draw import markup, units
from postmortems.model import TimelineRow

KINDS = {"load": "load", "change": "change", "chaos": "fault", "alert": "alert", "recovery": "recovery", "response": "people"}


@dataclass(frozen=True)
class Step:
    """`after` is the time since the first row, in words; `text` has no marks of Markdown."""

    clock: str
    after: str
    kind: str
    text: str


def steps(rows: Sequence[TimelineRow]) -> list[Step]:
    """In the order of time."""
    return [Step(units.clock(row.at), f"+{units.lasting(row.at - rows[0].at)}", KINDS[row.kind], row.text.replace("`", "")) for row in rows]


def html(rows: Sequence[TimelineRow]) -> str:
    """The list as markup."""
    return markup.render("steps", steps=steps(rows))
