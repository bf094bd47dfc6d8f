"""Layered drawing of a directed graph, after Sugiyama: columns by longest path, few crossings, long edges led around boxes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

Edge = tuple[str, str]
Bend = tuple[str, str, int]
"""The place in a column at which an edge passes that neither begins nor ends there."""
Node = str | Bend

SWEEPS = 12
BEND_HEIGHT = 2.0


@dataclass(frozen=True)
class Size:
    """Of a box."""

    width: float
    height: float


@dataclass(frozen=True)
class Spacing:
    """In the unit of the sizes."""

    between_columns: float
    between_boxes: float


@dataclass(frozen=True)
class Placed:
    """A box by its upper left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Drawing:
    """`routes` are the points through which an edge runs, from the right side of its box to the left side of the other."""

    boxes: Mapping[str, Placed]
    routes: Mapping[Edge, tuple[tuple[float, float], ...]]
    width: float
    height: float


def draw(sizes: Mapping[str, Size], edges: Sequence[Edge], spacing: Spacing) -> Drawing:
    """A drawing of the nodes that `sizes` names, as wide as the widest in its column; edges must form no circle."""
    column_of = columns(list(sizes), edges)
    paths = {edge: _path(edge, column_of) for edge in edges}
    ordered = _ordered(_filled(column_of, paths.values()), [step for path in paths.values() for step in pairwise(path)])
    tall = max(_height(column, sizes, spacing) for column in ordered)
    places: dict[Node, Placed] = {}
    x = 0.0
    for column in ordered:
        width = max(sizes[node].width for node in column if isinstance(node, str))
        places |= _stacked(column, sizes, spacing, x=x, width=width, tall=tall)
        x += width + spacing.between_columns
    boxes = {node: place for node, place in places.items() if isinstance(node, str)}
    return Drawing(boxes, _routes(paths, places), x - spacing.between_columns, tall)


def columns(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """The column of each node: right of all that call it. Who calls nobody stands in the last one, a caller that nobody calls just before its callees."""
    callers = {node: [a for a, b in edges if b == node] for node in nodes}
    callees = {node: [b for a, b in edges if a == node] for node in nodes}
    depth: dict[str, int] = {}

    def measure(node: str) -> int:
        if node not in depth:
            depth[node] = 1 + max((measure(caller) for caller in callers[node]), default=-1)
        return depth[node]

    last = max(map(measure, nodes), default=0)
    placed = {node: depth[node] if callees[node] else last for node in nodes}
    late = {node: min(placed[callee] for callee in callees[node]) - 1 for node in nodes if not callers[node] and callees[node]}
    return placed | late


def _path(edge: Edge, column_of: Mapping[str, int]) -> tuple[Node, ...]:
    start, end = edge
    return (start, *((start, end, column) for column in range(column_of[start] + 1, column_of[end])), end)


def _filled(column_of: Mapping[str, int], paths: Iterable[Sequence[Node]]) -> list[list[Node]]:
    filled: list[list[Node]] = [[] for _ in range(max(column_of.values()) + 1)]
    for node, column in column_of.items():
        filled[column].append(node)
    for path in paths:
        for bend in path[1:-1]:
            if not isinstance(bend, str):
                filled[bend[2]].append(bend)
    return filled


def _ordered(filled: list[list[Node]], steps: Sequence[tuple[Node, Node]]) -> list[list[Node]]:
    """Each column is sorted by the mean position of its neighbours, to and fro; the order with the fewest crossings wins."""
    best, fewest, current = filled, _crossings(filled, steps), filled
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        current = _swept(current, steps, forward=forward)
        crossings = _crossings(current, steps)
        if crossings < fewest:
            best, fewest = current, crossings
    return best


def _swept(ordered: list[list[Node]], steps: Sequence[tuple[Node, Node]], *, forward: bool) -> list[list[Node]]:
    neighbours: dict[Node, list[Node]] = {}
    for left, right in steps:
        here, there = (right, left) if forward else (left, right)
        neighbours.setdefault(here, []).append(there)
    result = list(ordered)
    position = {node: float(index) for column in ordered for index, node in enumerate(column)}
    for number in range(len(result)) if forward else reversed(range(len(result))):
        around = {node: [position[n] for n in neighbours.get(node, ())] or [position[node]] for node in result[number]}
        result[number] = sorted(result[number], key=lambda node: sum(around[node]) / len(around[node]))
        position.update({node: float(index) for index, node in enumerate(result[number])})
    return result


def _crossings(ordered: list[list[Node]], steps: Sequence[tuple[Node, Node]]) -> int:
    at = {node: (number, index) for number, column in enumerate(ordered) for index, node in enumerate(column)}
    spans = [(at[left], at[right]) for left, right in steps]
    return sum(a[0][0] == b[0][0] and (a[0][1] - b[0][1]) * (a[1][1] - b[1][1]) < 0 for a, b in combinations(spans, 2))


def _tall(node: Node, sizes: Mapping[str, Size]) -> float:
    return sizes[node].height if isinstance(node, str) else BEND_HEIGHT


def _height(column: Sequence[Node], sizes: Mapping[str, Size], spacing: Spacing) -> float:
    return sum(_tall(node, sizes) + spacing.between_boxes for node in column) - spacing.between_boxes


def _stacked(
    column: Sequence[Node], sizes: Mapping[str, Size], spacing: Spacing, *, x: float, width: float, tall: float
) -> dict[Node, Placed]:
    """Evenly over the height of the drawing."""
    free = (tall - _height(column, sizes, spacing)) / (len(column) + 1)
    places, y = dict[Node, Placed](), free
    for node in column:
        places[node] = Placed(x, y, width, _tall(node, sizes))
        y += _tall(node, sizes) + spacing.between_boxes + free
    return places


def _routes(paths: Mapping[Edge, Sequence[Node]], places: Mapping[Node, Placed]) -> dict[Edge, tuple[tuple[float, float], ...]]:
    """Where several edges meet a box they share its side, in the order of where they come from or go to."""
    leaving: dict[str, list[Edge]] = {}
    arriving: dict[str, list[Edge]] = {}
    for edge, _ in sorted(paths.items(), key=lambda item: places[item[1][1]].y):
        leaving.setdefault(edge[0], []).append(edge)
    for edge, _ in sorted(paths.items(), key=lambda item: places[item[1][-2]].y):
        arriving.setdefault(edge[1], []).append(edge)
    return {
        edge: (
            (places[edge[0]].x + places[edge[0]].width, _port(places[edge[0]], leaving[edge[0]], edge)),
            *(point for bend in path[1:-1] for point in _through(places[bend])),
            (places[edge[1]].x, _port(places[edge[1]], arriving[edge[1]], edge)),
        )
        for edge, path in paths.items()
    }


def _port(box: Placed, sharing: Sequence[Edge], edge: Edge) -> float:
    return box.y + box.height * (sharing.index(edge) + 1) / (len(sharing) + 1)


def _through(bend: Placed) -> tuple[tuple[float, float], tuple[float, float]]:
    return (bend.x, bend.y), (bend.x + bend.width, bend.y)
