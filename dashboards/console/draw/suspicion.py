"""Ranked components with the evidence for and against each, in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.console.draw import markup
from postmortems.diagnosis.model import Ranked


def html(ranked: Sequence[Ranked]) -> str:
    """The list as markup; bars are beside the strongest."""
    highest = max((one.score for one in ranked), default=0.0) or 1.0
    return markup.render("suspicion", ranked=ranked, highest=highest)
