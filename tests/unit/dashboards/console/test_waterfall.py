from __future__ import annotations

import pytest

from dashboards.console.draw import waterfall
from reference_app.contract.spans import Span
from tests.unit.dashboards.console.pages import words

TRACE = "0af7651916cd43dd8448eb211c80319c"
MS = 1_000_000


def span(identifier: str, parent: str, service: str, start_ms: int, end_ms: int, **other: object) -> Span:
    values = {"name": f"GET /{identifier}", "kind": "SERVER", "status": "UNSET"} | other
    return Span(TRACE, identifier, parent, service=service, component=f"{service}-0", start_ns=start_ms * MS, end_ns=end_ms * MS, **values)  # type: ignore[arg-type]


POST = [
    span("a", "", "gateway", 1000, 1040),
    span("b", "a", "tweets", 1010, 1030, status="ERROR", attributes={"error.type": "timeout", "text": "<b>bold</b>", "count": 3}),
    span("c", "b", "fanout", 1100, 1200),
]


def test_bars_lie_where_their_spans_were_in_the_whole_trace() -> None:
    bars = waterfall.build(POST).bars
    assert [(bar.depth, bar.left, bar.width) for bar in bars] == [(0, 0, 20), (1, 5, 10), (2, 50, 50)]


def test_what_the_user_waited_for_is_told_apart_from_the_work_behind_the_stream() -> None:
    built = waterfall.build(POST)
    assert (built.seconds, built.whole) == (pytest.approx(0.04), pytest.approx(0.2))
    assert "40 ms waited for 200 ms until all work was done 3 spans 1 failed" in words(waterfall.html(POST))


def test_a_span_that_failed_says_why() -> None:
    assert [(bar.failed, bar.error) for bar in waterfall.build(POST).bars] == [(False, ""), (True, "timeout"), (False, "")]
    assert "✕ timeout" in words(waterfall.html(POST))


def test_attributes_are_behind_their_row_and_escaped() -> None:
    markup = waterfall.html(POST)
    assert "<dt>text</dt><dd>&lt;b&gt;bold&lt;/b&gt;</dd>" in markup
    assert "<dt>count</dt><dd>3</dd>" in markup


def test_a_service_has_the_same_colour_in_every_trace() -> None:
    alone = waterfall.build([POST[1]])
    assert dict(alone.services)["tweets"] == dict(waterfall.build(POST).services)["tweets"]
    assert len({hue for _, hue in waterfall.build(POST).services}) == 3


def test_the_shortest_span_can_be_seen_and_stays_inside() -> None:
    bars = waterfall.build([span("a", "", "gateway", 0, 10_000), span("b", "a", "tweets", 10_000, 10_000)]).bars
    assert bars[1].width == pytest.approx(waterfall.LEAST_PERCENT)
    assert all(bar.left + bar.width <= 100 for bar in bars)
