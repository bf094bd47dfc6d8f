from __future__ import annotations

from itertools import combinations

import pytest

from dashboards.console.draw import layers
from dashboards.console.draw.layers import Drawing, Size, Spacing
from reference_app.contract.topology import SERVICE_EDGES

SPACING = Spacing(between_columns=50, between_boxes=10)
EDGES = [(caller, callee) for caller, callees in SERVICE_EDGES.items() for callee in callees]
NODES = list(dict.fromkeys(name for edge in EDGES for name in edge))


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    return layers.draw({node: Size(100, 40) for node in NODES}, EDGES, SPACING)


def test_every_arrow_points_to_the_right(drawing: Drawing) -> None:
    for caller, callee in EDGES:
        assert drawing.boxes[caller].x + drawing.boxes[caller].width < drawing.boxes[callee].x, (caller, callee)


def test_users_enter_on_the_left_and_stores_stand_on_the_right() -> None:
    placed = layers.columns(NODES, EDGES)
    assert placed["edge"] == 0
    assert placed["gateway"] == 1
    assert {name for name, column in placed.items() if column == max(placed.values())} == {
        "timeline-cache", "tweets-db", "tweet-cache", "events", "users-db", "graph-db", "keyvalue-db",
    }  # fmt: skip


def test_who_is_called_by_nobody_stands_just_before_those_it_calls() -> None:
    placed = layers.columns(NODES, EDGES)
    assert placed["fanout"] == placed["graph"] - 1


def test_no_two_boxes_overlap(drawing: Drawing) -> None:
    for one, other in combinations(drawing.boxes.values(), 2):
        apart = (
            one.x + one.width <= other.x
            or other.x + other.width <= one.x
            or one.y + one.height <= other.y
            or other.y + other.height <= one.y
        )
        assert apart, (one, other)


def test_all_boxes_are_inside_of_the_drawing(drawing: Drawing) -> None:
    for box in drawing.boxes.values():
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= drawing.width
        assert box.y + box.height <= drawing.height


def test_a_long_edge_is_led_around_the_boxes_between(drawing: Drawing) -> None:
    for edge, route in drawing.routes.items():
        for x, y in route[1:-1]:
            assert not any(box.x <= x <= box.x + box.width and box.y < y < box.y + box.height for box in drawing.boxes.values()), edge


def test_a_route_begins_and_ends_at_its_boxes(drawing: Drawing) -> None:
    for (caller, callee), route in drawing.routes.items():
        start, end = drawing.boxes[caller], drawing.boxes[callee]
        assert route[0][0] == start.x + start.width
        assert start.y < route[0][1] < start.y + start.height
        assert route[-1][0] == end.x
        assert end.y < route[-1][1] < end.y + end.height


def test_crossings_that_can_be_avoided_are() -> None:
    crossed = [("a", "z"), ("b", "y"), ("c", "x")]
    drawing = layers.draw({node: Size(10, 10) for node in "abcxyz"}, crossed, SPACING)
    ends = sorted((drawing.boxes[a].y, drawing.boxes[b].y) for a, b in crossed)
    assert [right for _, right in ends] == sorted(right for _, right in ends)
