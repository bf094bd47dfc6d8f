"""Requests as an SDK builds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE, SPAN, PARENT = bytes(range(16)), bytes(range(1, 9)), bytes(range(2, 10))

Request = Callable[..., ExportTraceServiceRequest]


@pytest.fixture
def request_of() -> Request:
    """A request of `count` spans, well-formed but for the given fields."""

    def build(count: int = 1, **fields: Any) -> ExportTraceServiceRequest:
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        for name, value in (("service.name", "tweets"), ("service.instance.id", "tweets-0"), ("host.name", "lab")):
            attribute = resource.resource.attributes.add(key=name)
            attribute.value.string_value = value
        scope = resource.scope_spans.add()
        for _ in range(count):
            scope.spans.add(**({"trace_id": TRACE, "span_id": SPAN, "parent_span_id": PARENT, "name": "POST /tweets", "kind": 2,
                                "start_time_unix_nano": 1_000, "end_time_unix_nano": 3_000} | fields))  # fmt: skip
        return request

    return build
