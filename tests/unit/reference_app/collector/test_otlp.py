"""Bodies of OTLP/HTTP, friendly and hostile, to requests and to rows."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from reference_app.collector import otlp, rows
from reference_app.collector.otlp import Coding, RefusedError
from reference_app.contract.spans import COLUMNS

SHARED = Path(__file__).resolve().parents[5] / "shared" / "data" / "otlp-examples" / "trace.json"
PROTOBUF, JSON = Coding(otlp.PROTOBUF, gzipped=False), Coding(otlp.JSON, gzipped=False)
Request = Callable[..., ExportTraceServiceRequest]


def document(**fields: Any) -> dict[str, Any]:
    """OTLP JSON as the specification shows it, with a field that nobody knows."""
    span = {"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "parentSpanId": "EEE19B7EC3C1B173",
            "name": "I'm a server span", "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000", "kind": 2,
            "droppedLinksCount": 0, "notInTheProtocolYet": {"a": []}, "status": {"code": 2, "message": "no"},
            "attributes": [{"key": "my.count", "value": {"intValue": "7"}}]}  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "my.library"}, "spans": [span | fields]}]}]}


def row(decoded: rows.Decoded, index: int = 0) -> dict[str, Any]:
    named = dict(zip(COLUMNS, decoded.rows[index], strict=True))
    return named | {"attributes": msgspec.json.decode(named["attributes"])}


def from_json(value: Any) -> tuple[ExportTraceServiceRequest, int]:
    return otlp.decode(json.dumps(value).encode(), JSON)


def test_a_span_in_protobuf_becomes_a_row(request_of: Request) -> None:
    request, malformed = otlp.decode(request_of().SerializeToString(), PROTOBUF)
    assert malformed == 0
    assert row(rows.decode(request)) == {
        "trace_id": "000102030405060708090a0b0c0d0e0f", "span_id": "0102030405060708", "parent_span_id": "0203040506070809",
        "name": "POST /tweets", "kind": "SERVER", "service": "tweets", "component": "tweets-0", "start_ns": 1000, "end_ns": 3000,
        "status": "UNSET", "status_message": "", "attributes": {"resource.host.name": "lab"},
    }  # fmt: skip


def test_a_span_in_json_becomes_a_row_whatever_else_is_in_it() -> None:
    request, _ = from_json(document())
    assert row(rows.decode(request)) == {
        "trace_id": "5b8efff798038103d269b633813fc60c", "span_id": "eee19b7ec3c1b174", "parent_span_id": "eee19b7ec3c1b173",
        "name": "I'm a server span", "kind": "SERVER", "service": "my.service", "component": "", "start_ns": 1544712660000000000,
        "end_ns": 1544712661000000000, "status": "ERROR", "status_message": "no", "attributes": {"my.count": 7},
    }  # fmt: skip


@pytest.mark.skipif(not SHARED.exists(), reason="the official example is not here; the one of this file has its shape")
def test_the_official_example_is_taken() -> None:
    request, malformed = otlp.decode(SHARED.read_bytes(), JSON)
    decoded = rows.decode(request)
    assert (malformed, decoded.rejected, row(decoded)["trace_id"]) == (0, 0, "5b8efff798038103d269b633813fc60c")


def test_a_root_has_an_empty_parent_whether_it_is_absent_or_zero(request_of: Request) -> None:
    for parent in (b"", bytes(8)):
        assert row(rows.decode(request_of(parent_span_id=parent)))["parent_span_id"] == ""
    assert row(rows.decode(from_json(document(parentSpanId=""))[0]))["parent_span_id"] == ""


def test_values_of_all_types_are_kept_as_json(request_of: Request) -> None:
    request = request_of()
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.add(key="list").value.array_value.values.add(double_value=0.5)
    span.attributes.add(key="map").value.kvlist_value.values.add(key="inner").value.bool_value = True
    span.attributes.add(key="bytes").value.bytes_value = b"\x00\xff"
    span.attributes.add(key="nothing")
    attributes = row(rows.decode(request))["attributes"]
    assert attributes == {"resource.host.name": "lab", "list": [0.5], "map": {"inner": True}, "bytes": "AP8=", "nothing": None}


@pytest.mark.parametrize(
    "fields",
    [
        {"trace_id": b"short"}, {"trace_id": bytes(16)}, {"trace_id": bytes(17)}, {"span_id": b""}, {"span_id": bytes(8)},
        {"parent_span_id": b"123"}, {"start_time_unix_nano": 0}, {"start_time_unix_nano": 4_000}, {"end_time_unix_nano": (1 << 64) - 1},
    ],
)  # fmt: skip
def test_a_malformed_span_is_rejected_and_its_neighbours_are_kept(request_of: Request, fields: dict[str, Any]) -> None:
    request = request_of(2)
    request.MergeFrom(request_of(3, **fields))
    decoded = rows.decode(request)
    assert (len(decoded.rows), decoded.rejected) == (2, 3)
    assert decoded.reason.startswith("3 spans: ")


@pytest.mark.parametrize("wrong", ["xyz", "5B8", 7, None, {}])
def test_ids_in_json_that_are_no_hex_reject_their_span(wrong: object) -> None:
    request, malformed = from_json(document(traceId=wrong))
    assert malformed + rows.decode(request).rejected == 1


def test_unknown_kinds_of_a_newer_protocol_are_kept_as_internal(request_of: Request) -> None:
    assert row(rows.decode(request_of(kind=99)))["kind"] == "INTERNAL"


def test_huge_attributes_are_cut(request_of: Request) -> None:
    request = request_of()
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.add(key="novel").value.string_value = "n" * 1_000_000
    for number in range(1000):
        span.attributes.add(key=f"a{number}").value.int_value = number
    attributes = row(rows.decode(request))["attributes"]
    assert len(attributes) <= rows.ATTRIBUTES_MAX + 1
    assert len(attributes["novel"]) == rows.TEXT_MAX


def test_a_hundred_thousand_empty_spans_are_counted_in_one_sentence(request_of: Request) -> None:
    empty = request_of(100_000, trace_id=b"", span_id=b"", parent_span_id=b"", name="")
    decoded = rows.decode(empty)
    assert (decoded.rows, decoded.rejected) == ([], 100_000)
    assert len(decoded.reason) < 100


@pytest.mark.parametrize(
    "body",
    [b"\x0a\xff\xff\xff\xff\x0f", b"<html>", b'{"resourceSpans": []}'],
    ids=["a length beyond the end", "HTML", "JSON"],
)
def test_what_is_no_protobuf_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        otlp.decode(body, PROTOBUF)
    assert refused.value.status == 400


def test_truncated_protobuf_is_refused_at_every_length(request_of: Request) -> None:
    body = request_of(parent_span_id=b"").SerializeToString()
    taken = 0
    for length in range(1, len(body)):
        try:
            otlp.decode(body[:length], PROTOBUF)
        except RefusedError as refused:
            assert refused.status == 400  # noqa: PT017
        else:
            taken += 1
    assert taken == 0


def test_text_that_is_not_utf8_is_refused(request_of: Request) -> None:
    body = request_of(name="nnnn").SerializeToString().replace(b"nnnn", b"\xff\xfe\xc0\x80")
    with pytest.raises(RefusedError):
        otlp.decode(body, PROTOBUF)
    with pytest.raises(RefusedError):
        otlp.decode(b'{"resourceSpans": [{"schemaUrl": "\xff"}]}', JSON)


def test_nesting_without_end_is_refused(request_of: Request) -> None:
    deep: dict[str, Any] = {"stringValue": "bottom"}
    for _ in range(150):
        deep = {"arrayValue": {"values": [deep]}}
    with pytest.raises(RefusedError):
        from_json(document(attributes=[{"key": "deep", "value": deep}]))
    with pytest.raises(RefusedError):
        otlp.decode(b'{"resourceSpans":' + b"[" * 100_000 + b"]" * 100_000 + b"}", JSON)
    request = request_of()
    value = request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="deep").value
    for _ in range(200):
        value = value.array_value.values.add()
    with pytest.raises(RefusedError):
        otlp.decode(request.SerializeToString(), PROTOBUF)


@pytest.mark.parametrize(
    "value",
    [[], 3, {"resourceSpans": 1}, {"resourceSpans": [1]}, {"resourceSpans": [{"scopeSpans": {"spans": 1}}]},
     {"resourceSpans": [{"scopeSpans": [{"spans": ["x"]}]}]}, document(startTimeUnixNano="soon"), document(attributes={"a": 1}), document(name=1)],
)  # fmt: skip
def test_json_of_another_shape_is_refused(value: Any) -> None:
    with pytest.raises(RefusedError) as refused:
        from_json(value)
    assert refused.value.status == 400


def test_gzip_is_unpacked_and_its_bombs_and_stumps_are_refused(request_of: Request) -> None:
    zipped = Coding(otlp.PROTOBUF, gzipped=True)
    packed = gzip.compress(request_of().SerializeToString())
    assert len(rows.decode(otlp.decode(packed, zipped)[0]).rows) == 1
    for body, status in ((gzip.compress(bytes(otlp.BODY_MAX + 1)), 413), (packed[:-9], 400), (b"not gzip", 400)):
        with pytest.raises(RefusedError) as refused:
            otlp.decode(body, zipped)
        assert refused.value.status == status


@pytest.mark.parametrize(("content_type", "encoding"), [("", ""), ("text/plain", ""), (otlp.JSON, "br")])
def test_other_media_and_encodings_are_refused(content_type: str, encoding: str) -> None:
    with pytest.raises(RefusedError) as refused:
        Coding.of(content_type, encoding)
    assert refused.value.status == 415


def test_the_answer_counts_what_was_rejected_in_the_coding_of_the_request() -> None:
    protobuf = ExportTraceServiceResponse.FromString(otlp.answer(PROTOBUF, 2, "why"))
    assert (protobuf.partial_success.rejected_spans, protobuf.partial_success.error_message) == (2, "why")
    assert json.loads(otlp.answer(JSON, 2, "why")) == {"partialSuccess": {"rejectedSpans": "2", "errorMessage": "why"}}
    assert (otlp.answer(PROTOBUF, 0, ""), otlp.answer(JSON, 0, "")) == (b"", b"{}")


def test_a_refusal_is_a_status_in_the_coding_of_the_request() -> None:
    refused = RefusedError(400, "no")
    assert json.loads(otlp.refusal(otlp.JSON, refused)) == {"code": 3, "message": "no"}
    assert otlp.refusal(otlp.PROTOBUF, refused) == b"\x08\x03\x12\x02no"
