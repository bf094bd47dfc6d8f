"""One trace as a waterfall: a row per span, bars over time in the colour of the service, attributes behind each row. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from dashboards.console.draw import markup
from reference_app.contract import spans
from reference_app.contract.spans import Span
from reference_app.contract.topology import SERVICES
from reference_app.query import waterfall

HUES = 8
"""Colours of services in the style sheet; a service that the contract does not name takes one by its place in the trace."""
LEAST_PERCENT = 0.3
"""Of the width, so that the shortest span can be seen."""
TICKS = 4


@dataclass(frozen=True)
class Bar:
    """A row. `left` and `width` are percent of the trace's length; `hue` is a colour of the style sheet."""

    name: str
    kind: str
    component: str
    depth: int
    left: float
    width: float
    seconds: float
    hue: int
    failed: bool
    error: str
    details: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Waterfall:
    """`seconds` is what the user waited for, `whole` lasts to the end of the last span, work behind the event stream included."""

    trace_id: str
    name: str
    at: float
    seconds: float
    whole: float
    errors: int
    services: tuple[tuple[str, int], ...]
    ticks: tuple[float, ...]
    bars: tuple[Bar, ...]


def build(trace: Sequence[Span]) -> Waterfall:
    """The waterfall of a trace that has at least one span."""
    rows = waterfall.rows(trace)
    whole = max(row.offset_s + row.span.seconds for row in rows)
    services = tuple(dict.fromkeys(row.span.service for row in rows))
    hues = {service: _hue(service, index) for index, service in enumerate(services)}
    root = rows[0].span
    return Waterfall(
        trace_id=root.trace_id, name=root.name, at=root.start_ns / 1e9, seconds=root.seconds, whole=whole,
        errors=sum(row.span.status == "ERROR" for row in rows), services=tuple(hues.items()),
        ticks=tuple(whole * number / TICKS for number in range(TICKS + 1)), bars=tuple(_bar(row, whole, hues) for row in rows),
    )  # fmt: skip


def html(trace: Sequence[Span]) -> str:
    """The waterfall as markup."""
    return markup.render("waterfall", waterfall=build(trace))


def _hue(service: str, index: int) -> int:
    return (SERVICES.index(service) if service in SERVICES else len(SERVICES) + index) % HUES


def _bar(row: waterfall.Row, whole: float, hues: dict[str, int]) -> Bar:
    span = row.span
    left = 100 * row.offset_s / whole if whole else 0.0
    width = min(max(100 * span.seconds / whole if whole else 100.0, LEAST_PERCENT), 100.0)
    return Bar(
        name=span.name, kind=span.kind.lower(), component=span.component, depth=row.depth, left=min(left, 100 - LEAST_PERCENT),
        width=min(width, 100 - min(left, 100 - LEAST_PERCENT)), seconds=span.seconds, hue=hues[span.service], failed=span.status == "ERROR",
        error=str(span.attributes.get(spans.ERROR_TYPE, "") or span.status_message), details=_details(row),
    )  # fmt: skip


def _details(row: waterfall.Row) -> tuple[tuple[str, str], ...]:
    span = row.span
    message = {"status": span.status_message} if span.status_message else {}
    own = {"starts at": f"{row.offset_s * 1000:.2f} ms", "lasts": f"{span.seconds * 1000:.3f} ms", "span id": span.span_id}
    return tuple((name, _text(value)) for name, value in (own | message | dict(sorted(span.attributes.items()))).items())


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
