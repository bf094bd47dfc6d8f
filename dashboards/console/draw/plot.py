"""Small line charts over time as SVG paths: one second per step, faults as bands, gaps where nothing was measured. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from dashboards.console.draw import units
from dashboards.console.lab.sight import Band
from dashboards.console.lab.signals import SPAN_S
from reference_app.kit.changes import Change
from reference_app.query.prometheus import Points

WIDTH, HEIGHT = 300.0, 60.0
"""Of the drawing; templates stretch it."""
GAP_S = 2.0
"""Points further apart are not joined."""


@dataclass(frozen=True)
class Frame:
    """The stretch of time that charts show, and what happened in it."""

    end: float
    bands: tuple[Band, ...] = ()
    changes: tuple[Change, ...] = ()
    span: float = SPAN_S

    @property
    def start(self) -> float:
        return self.end - self.span


@dataclass(frozen=True)
class Line:
    """`style` is a class of the style sheet. `factor` turns values into `unit` for the read-out."""

    name: str
    style: str
    points: Points
    unit: str = "/s"
    factor: float = 1
    filled: bool = False


@dataclass(frozen=True)
class Scale:
    """From `floor` at the bottom to `top`; `guides` are drawn as hairlines."""

    floor: float
    top: float
    log: bool = False
    guides: tuple[float, ...] = ()

    def y(self, value: float) -> float:
        """Height in the drawing, cut off at its edges."""
        low, high, at = (math.log10(max(v, 1e-9)) if self.log else v for v in (self.floor, self.top, value))
        return HEIGHT - HEIGHT * min(1.0, max(0.0, (at - low) / (high - low)))


LATENCY = Scale(0.001, 5, log=True, guides=(0.01, 0.1, 1))
"""Shared by all charts of latency, so that they can be compared."""
WHOLE = Scale(0, 1, guides=(0.5,))


@dataclass(frozen=True)
class Path:
    style: str
    line: str
    area: str


@dataclass(frozen=True)
class Stretch:
    """A band or, with no width, a mark."""

    x: float
    width: float
    tip: str


@dataclass(frozen=True)
class Plot:
    """All that the template draws. `readout` is JSON for the cross-hair."""

    title: str
    paths: tuple[Path, ...]
    guides: tuple[float, ...]
    bands: tuple[Stretch, ...]
    marks: tuple[Stretch, ...]
    readout: str
    top: str = ""
    empty: bool = False
    width: float = field(default=WIDTH)
    height: float = field(default=HEIGHT)


def plot(title: str, lines: Sequence[Line], frame: Frame, scale: Scale, *, top: str = "") -> Plot:
    """`top` is what the upper edge means."""
    return Plot(
        title=title,
        paths=tuple(_path(line, frame, scale) for line in lines),
        guides=tuple(scale.y(guide) for guide in scale.guides),
        bands=tuple(_bands(frame)),
        marks=tuple(Stretch(_x(c.at, frame), 0, f"{units.clock(c.at)} {c.subject}: {c.old} → {c.new}") for c in frame.changes),
        readout=_readout(lines, frame),
        top=top,
        empty=not any(line.points for line in lines),
    )


def from_zero(lines: Iterable[Line], *, least: float = 1) -> Scale:
    """A linear scale up to the next round number above the highest value."""
    highest = max((value for line in lines for _, value in line.points), default=0)
    return Scale(0, rounded_up(max(highest, least)))


def rounded_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50, ..."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def _path(line: Line, frame: Frame, scale: Scale) -> Path:
    strokes = [[(_x(at, frame), scale.y(value)) for at, value in stroke] for stroke in _strokes(line.points, frame)]
    drawn = "".join(f"M{'L'.join(f'{x:.1f},{y:.1f}' for x, y in _visible(stroke))}" for stroke in strokes)
    area = "".join(
        f"M{stroke[0][0]:.1f},{HEIGHT}L{'L'.join(f'{x:.1f},{y:.1f}' for x, y in _visible(stroke))}L{stroke[-1][0]:.1f},{HEIGHT}Z"
        for stroke in strokes
    )
    return Path(line.style, drawn, area if line.filled else "")


def _visible(stroke: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A single point is drawn as a dash of one second."""
    return stroke if len(stroke) > 1 else [stroke[0], (stroke[0][0] + 1, stroke[0][1])]


def _strokes(points: Points, frame: Frame) -> Iterable[Points]:
    shown = [point for point in points if frame.start <= point[0] <= frame.end]
    if not shown:
        return
    stroke = [shown[0]]
    for before, point in pairwise(shown):
        if point[0] - before[0] > GAP_S:
            yield stroke
            stroke = []
        stroke.append(point)
    yield stroke


def _x(at: float, frame: Frame) -> float:
    return WIDTH * min(1.0, max(0.0, (at - frame.start) / frame.span))


def _bands(frame: Frame) -> Iterable[Stretch]:
    for band in frame.bands:
        x, end = _x(band.start, frame), _x(frame.end if band.end is None else band.end, frame)
        if end > x:
            yield Stretch(x, end - x, f"{band.fault} {', '.join(band.components)} since {units.clock(band.start)}")


def _readout(lines: Sequence[Line], frame: Frame) -> str:
    """Per line its values second by second from the start of the frame, null where nothing was measured."""
    start, length = math.floor(frame.start), round(frame.span) + 1
    told = []
    for line in lines:
        values: list[float | None] = [None] * length
        for at, value in line.points:
            if 0 <= (index := math.floor(at) - start) < length:
                values[index] = float(f"{value * line.factor:.3g}")
        told.append({"name": line.name, "unit": line.unit, "values": values})
    return msgspec.json.encode({"start": start, "lines": told}).decode()
