"""Spans to the rows of a waterfall."""

from __future__ import annotations

from reference_app.contract.spans import Span
from reference_app.query import waterfall


def span(name: str, parent: str, start_ns: int) -> Span:
    return Span("t", name, parent, name, "SERVER", "s", "s-0", start_ns, start_ns + 10)


def shape(*spans: Span) -> list[tuple[str, int]]:
    return [(row.span.name, row.depth) for row in waterfall.rows(spans)]


def test_children_follow_their_parent_in_order_of_start() -> None:
    spans = [span("d", "b", 60), span("c", "a", 70), span("b", "a", 50), span("a", "", 40)]
    assert shape(*spans) == [("a", 0), ("b", 1), ("d", 2), ("c", 1)]


def test_offsets_are_from_the_start_of_the_trace() -> None:
    assert [row.offset_s for row in waterfall.rows([span("b", "a", 3_000_000_000), span("a", "", 1_000_000_000)])] == [0, 2]


def test_a_parent_that_is_missing_loses_no_child() -> None:
    assert shape(span("a", "", 0), span("c", "lost", 5), span("d", "c", 6)) == [("a", 0), ("c", 0), ("d", 1)]


def test_circles_end_and_lose_nothing() -> None:
    assert shape(span("a", "b", 1), span("b", "a", 2), span("self", "self", 3)) == [("a", 0), ("b", 1), ("self", 0)]


def test_a_chain_of_ten_thousand_spans_has_no_limit() -> None:
    chain = [span(str(n), str(n - 1), n) for n in range(10_000)]
    assert shape(*chain)[-1] == ("9999", 9_999)


def test_no_spans_have_no_rows() -> None:
    assert waterfall.rows([]) == []
