"""Traces to choose from: what each did, when, and how long it took as a bar. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.console.draw import markup
from dashboards.console.traces import Found


@dataclass(frozen=True)
class Row:
    """`width` is percent of the slowest one."""

    found: Found
    width: float
    chosen: bool


def rows(found: Sequence[Found], chosen: str | None) -> list[Row]:
    """In the order given."""
    slowest = max((one.seconds for one in found), default=0) or 1
    return [Row(one, max(0.5, 100 * one.seconds / slowest), one.trace_id == chosen) for one in found]


def html(found: Sequence[Found], chosen: str | None) -> str:
    """The list as markup; a row that is clicked tells its trace id."""
    return markup.render("trace_list", rows=rows(found, chosen))
