"""Spans of OTLP -> rows of `contract.spans.COLUMNS`. A malformed span is left out and counted; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from reference_app.contract.spans import SERVICE_INSTANCE, SERVICE_NAME

Row = tuple[str, str, str, str, str, str, str, int, int, str, str, str]
"""In the order of COLUMNS."""

KINDS = ("INTERNAL", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES = ("UNSET", "OK", "ERROR")
UNNAMED_SERVICE = "unknown_service"
ATTRIBUTES_MAX, TEXT_MAX = 128, 4096
"""Attributes of one span or members of one value, characters of one text: what is beyond is cut off."""
_TIME_MAX = (1 << 63) - 1


@dataclass
class Decoded:
    """`reasons` tells of malformed spans: reason -> how many."""

    rows: list[Row] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)

    def reject(self, reason: str, count: int = 1) -> None:
        """Count malformed spans."""
        self.reasons[reason] = self.reasons.get(reason, 0) + count

    @property
    def rejected(self) -> int:
        return sum(self.reasons.values())

    @property
    def reason(self) -> str:
        """All reasons as a sentence."""
        return "; ".join(f"{count} spans: {reason}" for reason, count in self.reasons.items())


def decode(request: ExportTraceServiceRequest) -> Decoded:
    """Rows of all spans that are well-formed."""
    decoded = Decoded()
    for resource_spans in request.resource_spans:
        _decode_resource(resource_spans, decoded)
    return decoded


def _decode_resource(resource_spans: ResourceSpans, decoded: Decoded) -> None:
    resource = _attributes(resource_spans.resource.attributes)
    service = str(resource.pop(SERVICE_NAME, "") or UNNAMED_SERVICE)
    component = str(resource.pop(SERVICE_INSTANCE, ""))
    shared = {f"resource.{name}": value for name, value in resource.items()}
    for scope in resource_spans.scope_spans:
        for span in scope.spans:
            reason = _malformed(span)
            if reason:
                decoded.reject(reason)
            else:
                decoded.rows.append(_row(span, service, component, shared))


def _malformed(span: Span) -> str:
    """Why a span cannot be kept, empty when it can."""
    trace_id, span_id = span.trace_id, span.span_id
    if len(trace_id) != 16 or not any(trace_id):
        return "trace_id is not 16 bytes, one of them not zero"
    if len(span_id) != 8 or not any(span_id) or len(span.parent_span_id) not in (0, 8):
        return "span_id or parent_span_id is not 8 bytes, one of them not zero"
    if not 0 < span.start_time_unix_nano <= span.end_time_unix_nano <= _TIME_MAX:
        return "start_time_unix_nano is missing, or after end_time_unix_nano"
    return ""


def _row(span: Span, service: str, component: str, shared: dict[str, Any]) -> Row:
    parent, status = span.parent_span_id, span.status
    attributes = msgspec.json.encode(shared | _attributes(span.attributes)).decode()
    return (
        span.trace_id.hex(), span.span_id.hex(), parent.hex() if any(parent) else "", span.name[:TEXT_MAX], _named(KINDS, span.kind),
        service, component, span.start_time_unix_nano, span.end_time_unix_nano, _named(STATUSES, status.code), status.message[:TEXT_MAX],
        attributes,
    )  # fmt: skip


def _named(names: tuple[str, ...], number: int) -> str:
    """Of an enum's value; one that is unknown (of a newer protocol) is taken for the first."""
    return names[number] if 0 <= number < len(names) else names[0]


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key[:TEXT_MAX]: _value(pair.value) for pair in _first(pairs)}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return value.string_value[:TEXT_MAX]
    if kind == "array_value":
        return [_value(item) for item in _first(value.array_value.values)]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    if kind == "bytes_value":
        return value.bytes_value[:TEXT_MAX]
    return getattr(value, kind) if kind else None


def _first(items: Iterable[Any]) -> Iterator[Any]:
    return (item for item, _ in zip(items, range(ATTRIBUTES_MAX), strict=False))
