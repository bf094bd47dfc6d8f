"""A chart of `charts` as SVG, from its Vega-Lite specification: lines, the fault as a band, alerts as rules. For paper, where no script runs. Pure.

Of Vega-Lite it knows what those charts use, and nothing else.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 230, 62, 34, 12, 38
PAPER, INK, PAGE, TICKET = "#ffffff", "#3c4350", "#c81e3a", "#d98e04"
Place = Callable[[float], float]


@dataclass(frozen=True)
class _Frame:
    """Where values lie on the paper; `log` is about the upright axis."""

    x: tuple[float, float]
    y: tuple[float, float]
    log: bool

    def across(self, value: float) -> float:
        return LEFT + (value - self.x[0]) / ((self.x[1] - self.x[0]) or 1) * (WIDTH - LEFT - RIGHT)

    def up(self, value: float) -> float:
        low, high, at = (math.log10(max(v, 1e-9)) if self.log else v for v in (*self.y, value))
        return HEIGHT - BOTTOM - (at - low) / ((high - low) or 1) * (HEIGHT - TOP - BOTTOM)


def drawn(specification: bytes | str) -> str:
    """The `<svg>` element. Raises ValueError when it is no specification of such a chart."""
    try:
        chart = msgspec.json.decode(specification)
        layers = [_with_values(layer, chart.get("datasets") or {}) for layer in chart["layer"]]
        line = next(layer for layer in layers if _mark(layer) == "line")
        frame = _frame(line)
        parts = [*_axes(frame, line), *(part for layer in layers for part in _layer(layer, frame))]
        title = html.escape(chart["title"]["text"])
    except (msgspec.DecodeError, KeyError, TypeError, StopIteration) as error:
        raise ValueError(f"this is no chart of a postmortem: {error!r}") from error
    heading = f'<text x="{LEFT}" y="16" font-size="13" font-weight="600" fill="{INK}">{title}</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}" font-family="sans-serif">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>{heading}{"".join(parts)}</svg>'
    )


def _with_values(layer: dict[str, Any], tables: dict[str, Any]) -> dict[str, Any]:
    """Altair keeps tables apart from the layers, by name."""
    data = layer["data"]
    return layer | {"data": {"values": data["values"] if "values" in data else tables[data["name"]]}}


def _mark(layer: dict[str, Any]) -> str:
    mark = layer["mark"]
    return str(mark["type"] if isinstance(mark, dict) else mark)


def _frame(line: dict[str, Any]) -> _Frame:
    scale = line["encoding"]["y"].get("scale") or {}
    values = [row["value"] for row in line["data"]["values"] if row["value"] is not None]
    log = scale.get("type") == "log"
    low, high = scale.get("domain") or ((min(values), max(values)) if log and values else (0.0, max(values, default=1.0) * 1.05 or 1.0))
    start, end = line["encoding"]["x"]["scale"]["domain"]
    return _Frame((start, end), (low, high), log)


def _axes(frame: _Frame, line: dict[str, Any]) -> Iterator[str]:
    bottom, style = HEIGHT - BOTTOM, f'font-size="10" fill="{INK}"'
    share = str((line["encoding"]["y"].get("axis") or {}).get("format")) == "%"
    for value in _ticks(frame):
        at = frame.up(value)
        label = f"{value:.0%}" if share else f"{value:,.4g}"
        yield f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#e4e7ec"/><text x="{LEFT - 6}" y="{at + 3:.1f}" text-anchor="end" {style}>{label}</text>'
    for value in _steps(*frame.x):
        yield f'<text x="{frame.across(value):.1f}" y="{bottom + 14}" text-anchor="middle" {style}>{value:g}</text>'
    yield f'<text x="{WIDTH - RIGHT}" y="{bottom + 30}" text-anchor="end" {style}>load seconds</text>'
    yield f'<text x="{LEFT}" y="{bottom + 30}" {style}>{html.escape(str(line["encoding"]["y"].get("title", "")))}</text>'


def _ticks(frame: _Frame) -> Sequence[float]:
    if not frame.log:
        return _steps(*frame.y)
    first, last = (math.log10(max(value, 1e-9)) for value in frame.y)
    return [10.0**power for power in range(math.ceil(first), math.floor(last) + 1)]


def _steps(low: float, high: float) -> list[float]:
    """Five or so round values between both."""
    rough = (high - low) / 5 or 1.0
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough)
    return [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _layer(layer: dict[str, Any], frame: _Frame) -> Iterator[str]:
    rows = layer["data"]["values"]
    match _mark(layer):
        case "line":
            yield from _lines(layer, rows, frame)
        case "rect":
            for row in rows:
                width = frame.across(row["end"]) - frame.across(row["start"])
                yield f'<rect x="{frame.across(row["start"]):.1f}" y="{TOP}" width="{width:.1f}" height="{HEIGHT - TOP - BOTTOM}" fill="#d1495b" opacity="0.13"/>'
        case "rule" if rows and "fired" in rows[0]:
            yield from (_alert(row, frame) for row in rows)
        case "text":
            yield from (
                f'<text x="{frame.across(row["t"]) + 2:.1f}" y="{TOP - 4}" font-size="9" fill="#8c939e">{html.escape(row["label"])}</text>'
                for row in rows
            )


def _alert(row: dict[str, Any], frame: _Frame) -> str:
    colour, at = PAGE if row["severity"] == "page" else TICKET, frame.across(row["fired"])
    told = html.escape(f"{row['alert']} {row['about']}")
    return f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{colour}" stroke-width="1.4" stroke-dasharray="5 3"><title>{told}</title></path>'


def _lines(layer: dict[str, Any], rows: Sequence[dict[str, Any]], frame: _Frame) -> Iterator[str]:
    scale = (layer["encoding"].get("color") or {}).get("scale") or {}
    colours = dict(zip(scale.get("domain", ()), scale.get("range", ()), strict=False))
    for what in dict.fromkeys(row.get("what") for row in rows):
        path = "".join(_steps_of([row for row in rows if row.get("what") == what], frame))
        yield f'<path d="{path}" fill="none" stroke="{colours.get(what) or layer["mark"].get("color", INK)}" stroke-width="1.6"/>'


def _steps_of(rows: Sequence[dict[str, Any]], frame: _Frame) -> Iterator[str]:
    """A gap where there is no value."""
    pen_down = False
    for row in rows:
        if row["value"] is None:
            pen_down = False
            continue
        across, up = frame.across(row["t"]), frame.up(row["value"])
        yield f"H{across:.1f}V{up:.1f}" if pen_down else f"M{across:.1f} {up:.1f}"
        pen_down = True
