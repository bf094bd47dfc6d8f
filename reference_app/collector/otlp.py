"""OTLP/HTTP at the rim: bodies, protobuf or JSON and perhaps gzipped, to `ExportTraceServiceRequest` and back to answers."""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Any

import msgspec
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

PROTOBUF, JSON = "application/x-protobuf", "application/json"
BODY_MAX = 4 * 1024 * 1024
"""Bytes of a body, as it comes and unpacked."""
_IDS = {"traceId": 16, "trace_id": 16, "spanId": 8, "span_id": 8, "parentSpanId": 8, "parent_span_id": 8}
_RPC_CODES = {400: 3, 413: 8, 415: 3, 503: 14}
"""HTTP status -> google.rpc.Code: INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE."""


class RefusedError(Exception):
    """The request as a whole is not taken: `status` 400, 413, 415 or 503."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Coding:
    """How a request is written: `media` is PROTOBUF or JSON."""

    media: str
    gzipped: bool

    @classmethod
    def of(cls, content_type: str, content_encoding: str) -> Coding:
        """From the two headers. Raises RefusedError 415."""
        media, encoding = content_type.partition(";")[0].strip().lower(), content_encoding.strip().lower()
        if media not in (PROTOBUF, JSON):
            raise RefusedError(415, f"content-type {media or 'missing'!r} is not taken: send {PROTOBUF} or {JSON}")
        if encoding not in ("", "identity", "gzip"):
            raise RefusedError(415, f"content-encoding {encoding!r} is not taken: send gzip or none")
        return cls(media, gzipped=encoding == "gzip")


def decode(body: bytes, coding: Coding) -> tuple[ExportTraceServiceRequest, int]:
    """The request and how many of its spans have ids that JSON cannot hold. Raises RefusedError 400 or 413."""
    content = _unzipped(body) if coding.gzipped else body
    if coding.media == JSON:
        return _from_json(content)
    try:
        return ExportTraceServiceRequest.FromString(content), 0
    except DecodeError as error:
        raise RefusedError(400, f"the body is no ExportTraceServiceRequest in protobuf: {error}") from error


def answer(coding: Coding, rejected: int, reason: str) -> bytes:
    """The body of a 200."""
    response = ExportTraceServiceResponse()
    if rejected:
        response.partial_success.rejected_spans, response.partial_success.error_message = rejected, reason
    return json_format.MessageToJson(response, indent=None).encode() if coding.media == JSON else bytes(response.SerializeToString())


def refusal(media: str, refused: RefusedError) -> bytes:
    """The body of an error, a google.rpc.Status."""
    code, message = _RPC_CODES[refused.status], str(refused)
    if media == JSON:
        return msgspec.json.encode({"code": code, "message": message})
    # On the wire a Status (1: int32 code, 2: string message) is what this message is, whose package is there.
    return bytes(ExportTracePartialSuccess(rejected_spans=code, error_message=message).SerializeToString())


def _unzipped(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(body, BODY_MAX + 1)
    except zlib.error as error:
        raise RefusedError(400, f"the body is not gzip: {error}") from error
    if len(content) > BODY_MAX:
        raise RefusedError(413, f"the unpacked body exceeds {BODY_MAX} bytes: send smaller batches")
    if not unpacker.eof:
        raise RefusedError(400, "the gzip stream ends early")
    return content


def _from_json(content: bytes) -> tuple[ExportTraceServiceRequest, int]:
    try:
        document = msgspec.json.decode(content, type=dict[str, Any])
        malformed = _to_protobuf_ids(document)
        return json_format.ParseDict(document, ExportTraceServiceRequest(), ignore_unknown_fields=True), malformed
    except (msgspec.DecodeError, json_format.ParseError, UnicodeDecodeError, RecursionError, TypeError, AttributeError) as error:
        raise RefusedError(400, f"the body is no ExportTraceServiceRequest in JSON: {error}") from error


def _to_protobuf_ids(document: dict[str, Any]) -> int:
    """Ids are hex in OTLP's JSON and base64 in that of protobuf. Takes out spans whose ids are neither; returns how many."""
    malformed = 0
    for resource in _several(document, "resourceSpans", "resource_spans"):
        for scope in _several(resource, "scopeSpans", "scope_spans"):
            for name in scope.keys() & {"spans"}:
                kept = [span for span in scope[name] or () if _recoded(span)]
                malformed += len(scope[name] or ()) - len(kept)
                scope[name] = kept
    return malformed


def _several(parent: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    return [child for name in names for child in parent.get(name) or ()]


def _recoded(span: dict[str, Any]) -> bool:
    """Writes the ids anew; False when one is malformed. Links are not kept by anybody."""
    span.pop("links", None)
    try:
        for name in span.keys() & _IDS.keys():
            raw = binascii.unhexlify(span[name] or "")
            span[name] = base64.b64encode(raw).decode()
    except (ValueError, TypeError):
        return False
    return True
