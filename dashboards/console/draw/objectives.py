"""Objectives as the Overview shows them: kept or not, how fast the budget burns, and what the last hour spent of its own. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dashboards.console.draw import markup, plot
from dashboards.console.draw.plot import Frame, Line, Plot
from dashboards.console.draw.red import latest
from dashboards.console.lab import signals
from dashboards.console.lab.sight import Signals
from dashboards.rules import windows
from reference_app.query.prometheus import Points
from reference_app.query.slo import Slo

State = Literal["kept", "over budget", "pages", "no traffic"]

PAGE_FACTOR = windows.LAB.pairs[0].factor
TONES: dict[State, str] = {"kept": "good", "over budget": "warn", "pages": "bad", "no traffic": "quiet"}
GLYPHS: dict[State, str] = {"kept": "●", "over budget": "◐", "pages": "✕", "no traffic": "○"}


@dataclass(frozen=True)
class Objective:
    """`burn` is how many times too fast the long window spends; `spent` the hour's bad events beside those that its traffic allows, 1 for all."""

    title: str
    target: str
    state: State
    tone: str
    glyph: str
    good: float | None
    burn: float | None
    bad: float | None
    total: float | None
    spent: float | None
    course: Plot


def rows(slos: Sequence[Slo], told: Signals, frame: Frame) -> list[Objective]:
    """One per objective, in the order of the contract."""
    return [_row(slo, told, frame) for slo in slos]


def html(slos: Sequence[Slo], told: Signals, frame: Frame) -> str:
    """The rows as markup."""
    return markup.render("objectives", rows=rows(slos, told, frame), factor=PAGE_FACTOR)


def state(short: float | None, long: float | None) -> State:
    """By the burn rates of both windows: a page needs both above its factor."""
    if short is None and long is None:
        return "no traffic"
    if min(short or 0, long or 0) >= PAGE_FACTOR:
        return "pages"
    return "over budget" if max(short or 0, long or 0) > 1 else "kept"


def _row(slo: Slo, told: Signals, frame: Frame) -> Objective:
    short, long = (_series(told, slo, name) for name in (signals.SHORT, signals.LONG))
    now, minute = latest(short, frame), latest(long, frame)
    burn, quick = (None if share is None else share / slo.error_budget for share in (minute, now))
    bad, total = (_spent(told, slo, what) for what in ("bad", "total"))
    known = state(quick, burn)
    return Objective(
        title=slo.title or slo.name, target=f"{100 * slo.objective:g} %", state=known, tone=TONES[known], glyph=GLYPHS[known],
        good=None if minute is None else 1 - minute, burn=burn, bad=bad, total=total,
        spent=None if bad is None or not total else bad / (total * slo.error_budget), course=_course(slo, short, frame),
    )  # fmt: skip


def _course(slo: Slo, short: Points, frame: Frame) -> Plot:
    lines = (Line("bad", "fw-errors", short, "%", 100, filled=True),)
    scale = plot.from_zero(lines, least=min(1.0, PAGE_FACTOR * slo.error_budget))
    return plot.plot(f"{slo.name}: share of bad events", lines, frame, scale, top=f"{100 * scale.top:g} %")


def _series(told: Signals, slo: Slo, name: str) -> Points:
    wanted = {"__name__": name, "slo": slo.name}
    return next((series.points for series in told.burns if wanted.items() <= series.labels.items()), [])


def _spent(told: Signals, slo: Slo, what: str) -> float | None:
    wanted = {"what": what, "slo": slo.name}
    return next((sample.value for sample in told.spent if wanted.items() <= sample.labels.items()), None)
