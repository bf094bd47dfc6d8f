"""The line above every page: which lab, how it does, and when that was seen. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.console.draw import markup
from dashboards.console.lab import states
from dashboards.console.lab.sight import Sight


@dataclass(frozen=True)
class Header:
    """`tone` is a class of the style sheet."""

    lab: str
    health: str
    tone: str


def header(sight: Sight) -> Header:
    """The lab in a few words."""
    if sight.lab is None:
        return Header("no lab", "nothing was started here yet", "fw-quiet")
    name = f"{sight.lab.topology} lab"
    if sight.trouble is not None and sight.trouble.kind == "down":
        return Header(name, "it is down", "fw-quiet")
    healths = states.of(sight)
    answering = sum(health.condition == "answers" for health in healths.values())
    if sight.trouble is not None:
        return Header(name, "Prometheus does not answer", "fw-bad")
    if sick := states.sick(healths.values()):
        return Header(name, f"{answering} of {len(healths)} components answer; {_listed(sick)}", "fw-bad")
    if answering < len(healths):
        return Header(name, f"{answering} of {len(healths)} components answer, of the others nothing is known", "fw-quiet")
    return Header(name, f"all {len(healths)} components answer", "fw-good")


def html(sight: Sight) -> str:
    """The line as markup."""
    return markup.render("header", header=header(sight), at=sight.at)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} {'does' if len(names) == 1 else 'do'} not" if len(names) <= 3 else f"{shown} and {len(names) - 3} more do not"
