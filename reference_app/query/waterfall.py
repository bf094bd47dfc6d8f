"""A trace as the rows of a waterfall: depth first, children under their parent in order of start. Pure.

Traces may be incomplete or wrong: a span whose parent is missing begins a tree of its own, and so does one of a circle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reference_app.contract.spans import Span


@dataclass(frozen=True)
class Row:
    """`offset_s` is from the start of the whole trace to that of the span."""

    span: Span
    depth: int
    offset_s: float


def rows(trace: Sequence[Span]) -> list[Row]:
    """One row for each span."""
    began = min((span.start_ns for span in trace), default=0)
    return [Row(span, depth, (span.start_ns - began) / 1e9) for span, depth in _depth_first(sorted(trace, key=_order))]


def _order(span: Span) -> tuple[int, bool, str]:
    return span.start_ns, bool(span.parent_span_id), span.span_id


def _depth_first(ordered: Sequence[Span]) -> Iterator[tuple[Span, int]]:
    known = {span.span_id for span in ordered}
    children: dict[str, list[Span]] = defaultdict(list)
    for span in ordered:
        children[span.parent_span_id].append(span)
    seen: set[int] = set()
    yield from _descend((span for span in ordered if span.parent_span_id not in known), children, seen)
    yield from _descend(ordered, children, seen)  # what is left are circles


def _descend(roots: Iterable[Span], children: dict[str, list[Span]], seen: set[int]) -> Iterator[tuple[Span, int]]:
    for root in roots:
        waiting = [(root, 0)]
        while waiting:
            span, depth = waiting.pop()
            if id(span) not in seen:
                seen.add(id(span))
                yield span, depth
                waiting += [(child, depth + 1) for child in reversed(children[span.span_id])]
