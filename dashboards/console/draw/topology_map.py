"""The map of a lab: groups as boxes in columns from where users enter to the stores, one cell per process, arrows for calls. Pure."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

from dashboards.console.draw import layers, markup
from dashboards.console.draw.layers import Drawing, Edge, Size, Spacing
from dashboards.console.lab.states import MEANINGS, Condition, Health
from reference_app.contract.topology import SERVICE_EDGES, Component

SPACING = Spacing(between_columns=64, between_boxes=16)
TITLE, CELL, GAP, PAD, MARGIN = 21, 24, 5, 8, 6
NARROW, WIDE = 128, 184
"""Boxes, and those whose cells say which one is the primary."""
PER_ROW = 3
"""Cells of a group without shards stand side by side."""
GLYPHS: Mapping[Condition, str] = {"answers": "●", "hangs": "◐", "down": "✕", "unknown": "?", "runs": "○"}
"""Read without colours too."""


@dataclass(frozen=True)
class Cell:
    """A component in its box."""

    name: str
    label: str
    x: float
    y: float
    width: float
    condition: Condition
    glyph: str
    faulty: bool
    tip: str


@dataclass(frozen=True)
class Box:
    """A group with its cells. `worst` colours its frame."""

    title: str
    x: float
    y: float
    width: float
    height: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Arrow:
    """`broken`: a breaker of the caller refuses calls to a component of the callee."""

    caller: str
    callee: str
    path: str
    broken: bool


@dataclass(frozen=True)
class Map:
    """All that the template draws."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    tools: tuple[Cell, ...]


def build(healths: Mapping[str, Health], *, breakers: Collection[tuple[str, str]] = ()) -> Map:
    """The map of these components; `breakers` are (service, component) pairs between which a breaker is open."""
    components = tuple(health.component for health in healths.values())
    drawing, broken = _drawing(components), {(caller, _group(peer, healths)) for caller, peer in breakers}
    boxes = tuple(_box(group, drawing, healths) for group in drawing.boxes)
    arrows = tuple(Arrow(*edge, _curve(route), edge in broken) for edge, route in drawing.routes.items())
    tools = tuple(_cell(health, health.component.name, 0, 0, 0) for health in healths.values() if health.component.tool)
    return Map(drawing.width + 2 * MARGIN, drawing.height + 2 * MARGIN, boxes, arrows, tools)


def html(healths: Mapping[str, Health], *, breakers: Collection[tuple[str, str]] = ()) -> str:
    """The map with its legend, as markup."""
    return markup.render(
        "map", map=build(healths, breakers=breakers), cell_height=CELL, title_height=TITLE, pad=PAD, meanings=MEANINGS, glyphs=GLYPHS
    )


@functools.lru_cache(maxsize=8)
def _drawing(components: tuple[Component, ...]) -> Drawing:
    sizes = {group: _size(_rows(components, group)) for group in _groups(components)}
    edges: list[Edge] = [
        (caller, callee) for caller, callees in SERVICE_EDGES.items() for callee in callees if caller in sizes and callee in sizes
    ]
    return layers.draw(sizes, edges, SPACING)


def _groups(components: tuple[Component, ...]) -> list[str]:
    return list(dict.fromkeys(c.group for c in components if not c.tool))


def _rows(components: tuple[Component, ...], group: str) -> list[list[Component]]:
    """A row per shard where the group has replicas."""
    members = [c for c in components if c.group == group]
    if any(c.role for c in members):
        shards = dict.fromkeys(c.shard for c in members)
        return [[c for c in members if c.shard == shard] for shard in shards]
    return [members[start : start + PER_ROW] for start in range(0, len(members), PER_ROW)]


def _size(rows: list[list[Component]]) -> Size:
    return Size(WIDE if rows[0][0].role else NARROW, TITLE + len(rows) * (CELL + GAP) - GAP + 2 * PAD)


def _box(group: str, drawing: Drawing, healths: Mapping[str, Health]) -> Box:
    place, rows = drawing.boxes[group], _rows(tuple(health.component for health in healths.values()), group)
    cells = []
    for number, row in enumerate(rows):
        width = (place.width - 2 * PAD - GAP * (len(row) - 1)) / len(row)
        y = place.y + MARGIN + PAD + TITLE + number * (CELL + GAP)
        for index, component in enumerate(row):
            x = place.x + MARGIN + PAD + index * (width + GAP)
            cells.append(_cell(healths[component.name], f"{component.index} {component.role}".strip(), x, y, width))
    return Box(group, place.x + MARGIN, place.y + MARGIN, place.width, place.height, tuple(cells))


def _cell(health: Health, label: str, x: float, y: float, width: float) -> Cell:
    component = health.component
    tip = f"{component.name}, port {component.port}: {MEANINGS[health.condition]}{'; a fault is in force on it' if health.faulty else ''}"
    return Cell(component.name, label, x, y, width, health.condition, GLYPHS[health.condition], health.faulty, tip)


def _curve(route: tuple[tuple[float, float], ...]) -> str:
    """Smooth between columns, straight through them."""
    (x, y), path = route[0], ""
    path = f"M{x + MARGIN:.1f},{y + MARGIN:.1f}"
    for (ax, ay), (bx, by) in pairwise(route):
        middle = (ax + bx) / 2 + MARGIN
        path += f"C{middle:.1f},{ay + MARGIN:.1f} {middle:.1f},{by + MARGIN:.1f} {bx + MARGIN:.1f},{by + MARGIN:.1f}"
    return path


def _group(component: str, healths: Mapping[str, Health]) -> str:
    return healths[component].component.group if component in healths else ""
