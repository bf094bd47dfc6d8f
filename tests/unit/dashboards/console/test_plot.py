from __future__ import annotations

import msgspec
import pytest

from dashboards.console.draw import plot
from dashboards.console.draw.plot import HEIGHT, LATENCY, WHOLE, WIDTH, Frame, Line
from dashboards.console.lab.sight import Band
from reference_app.kit.changes import Change
from reference_app.query.prometheus import Points

FRAME = Frame(end=1300.0, span=300)


def drawn(points: Points, frame: Frame = FRAME) -> plot.Plot:
    return plot.plot("a chart", [Line("rate", "fw-rate", points, filled=True)], frame, WHOLE)


def test_time_runs_over_the_width_and_values_over_the_height() -> None:
    assert drawn([(1000.0, 0.0), (1001.0, 1.0)]).paths[0].line == f"M0.0,{HEIGHT}L1.0,0.0"


def test_seconds_in_which_nothing_was_measured_are_gaps() -> None:
    line = drawn([(1000.0, 1.0), (1001.0, 1.0), (1010.0, 1.0), (1011.0, 1.0)]).paths[0].line
    assert line.count("M") == 2


def test_what_is_older_than_the_frame_is_not_drawn() -> None:
    assert drawn([(900.0, 1.0), (999.0, 1.0)]).paths[0].line == ""


def test_a_single_point_can_be_seen() -> None:
    assert drawn([(1100.0, 1.0)]).paths[0].line == "M100.0,0.0L101.0,0.0"


def test_a_chart_without_a_point_says_that_nothing_was_measured() -> None:
    assert drawn([]).empty


def test_a_fault_in_force_is_a_band_to_the_right_edge() -> None:
    frame = Frame(end=1300.0, span=300, bands=(Band("kill", ("graph-0",), 1200.0, None), Band("kill", ("users-0",), 900.0, 1010.0)))
    now, past = drawn([], frame).bands
    assert (now.x, now.x + now.width) == (200.0, WIDTH)
    assert (past.x, past.width) == (0.0, 10.0)
    assert "graph-0" in now.tip


def test_a_change_of_a_decider_is_a_mark() -> None:
    frame = Frame(end=1300.0, span=300, changes=(Change(1150.0, "decider", "replica_reads", "10000", "0", "somebody"),))
    (mark,) = drawn([], frame).marks
    assert mark.x == 150.0
    assert "replica_reads: 10000 → 0" in mark.tip


def test_latency_is_logarithmic_from_a_millisecond_to_five_seconds() -> None:
    assert LATENCY.y(0.0001) == LATENCY.y(0.001) == HEIGHT
    assert LATENCY.y(5) == LATENCY.y(60) == 0
    assert LATENCY.y(0.01) - LATENCY.y(0.1) == pytest.approx(LATENCY.y(0.1) - LATENCY.y(1))


@pytest.mark.parametrize(("value", "top"), [(1, 1), (1.1, 2), (2, 2), (3, 5), (61, 100), (200, 200), (0.3, 0.5)])
def test_a_scale_ends_at_a_round_number(value: float, top: float) -> None:
    assert plot.rounded_up(value) == pytest.approx(top)


def test_the_read_out_has_a_value_for_every_second_or_null() -> None:
    line = Line("p99", "fw-tail", [(1000.4, 0.0123456), (1300.0, 1.0)], "ms", 1000)
    told = msgspec.json.decode(plot.plot("a chart", [line], FRAME, LATENCY).readout)
    assert told["start"] == 1000
    assert told["lines"][0]["name"] == "p99"
    values = told["lines"][0]["values"]
    assert len(values) == 301
    assert (values[0], values[1], values[300]) == (12.3, None, 1000)
