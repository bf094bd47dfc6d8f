"""Spans: names of attributes (OpenTelemetry semantic conventions 1.38), and the columns in which the collector keeps them.

A hop is recorded twice, as its caller saw it (CLIENT, PRODUCER) and as its callee did (SERVER, CONSUMER); all are of one trace, each the child of
the one before it, the event stream included. Sampling is decided once, at the gateway. What is not sampled is kept all the same, and whole, when something in it was an edge case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SpanKind = Literal["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
Status = Literal["UNSET", "OK", "ERROR"]

SERVICE_NAME, SERVICE_INSTANCE = "service.name", "service.instance.id"
"""Resource attributes: the group (`tweets`) and the component (`tweets-0`)."""
METHOD, ROUTE, STATUS_CODE, PATH = "http.request.method", "http.route", "http.response.status_code", "url.path"
DB_SYSTEM, DB_OPERATION = "db.system.name", "db.operation.name"
MESSAGING_SYSTEM, MESSAGING_OPERATION, DESTINATION = "messaging.system", "messaging.operation.name", "messaging.destination.name"
PEER = "server.address"
"""Component that was called."""
ERROR_TYPE = "error.type"
"""The outcome of a call that failed (contract.metrics), or the code of an error answer."""
TWEET_ID = "failwhale.tweet.id"
EDGE_CASE = "failwhale.edge_case"
SEGMENT_END = b"PAR1"
"""How a file of spans ends that was written to its end (Parquet)."""

NAMES: dict[SpanKind, str] = {
    "SERVER": "`<method> <route template>`: a request as the callee saw it",
    "CLIENT": "`<method> <route template>` of a call to another service, or `<operation> <component>` of one to MariaDB or Redis",
    "PRODUCER": "`publish <subject>`: an event goes to the stream",
    "CONSUMER": "`process <subject>`: an event of the stream is worked on, once per delivery",
}
"""What a span is called, by its kind. A retry is a span of its own."""

ATTRIBUTES = {
    METHOD: "method of the request", ROUTE: "route template", PATH: "path of the request (SERVER)", STATUS_CODE: "status of the answer (SERVER)",
    DB_SYSTEM: "`mariadb` or `redis`", DB_OPERATION: "name of the statement or script, as in the metric's label",
    MESSAGING_SYSTEM: "`nats`", MESSAGING_OPERATION: "`publish` or `process`", DESTINATION: "subject of the stream",
    PEER: "component that was called (CLIENT, PRODUCER), or that brought the event (CONSUMER)",
    ERROR_TYPE: "only of a span that failed: the outcome of the call (as in the metric's label), or the code or status of the error answer",
    TWEET_ID: "tweet that the event is about",
    EDGE_CASE: "only of a trace that was not sampled: the edge case for which it is kept",
}  # fmt: skip
"""Attribute -> its meaning. A span has those that apply to it, and no others."""

Reason = Literal["failed", "failed_call", "slow", "shed"]
REASONS: dict[Reason, str] = {
    "failed": "a request was answered with a server error",
    "failed_call": "a call, or the work on an event, failed; also when another attempt hid that from the user",
    "slow": "a request, or a delivery, took longer than its objective allows",
    "shed": "a request was refused before any work was done",
}
"""Edge cases, whose traces are kept whole although they were not sampled (docs/adr/0013)."""
EDGE_CASES_SUBJECT = "traces.edge-cases"
"""Of core NATS, not of a stream: JSON lists of EdgeCase. Who is not there does not hear of them."""


@dataclass(frozen=True)
class EdgeCase:
    """What the first process that met one tells the others. `began_ns`, Unix nanoseconds, is the earliest moment that it knows of the trace."""

    trace_id: str
    reason: Reason
    began_ns: int


OTLP_TRACES = "/v1/traces"
"""Where the collector takes `ExportTraceServiceRequest`, as protobuf or as JSON (OTLP/HTTP 1.x)."""

COLUMNS = {
    "trace_id": "string", "span_id": "string", "parent_span_id": "string", "name": "string", "kind": "string", "service": "string", "component": "string",
    "start_ns": "int64", "end_ns": "int64", "status": "string", "status_message": "string", "attributes": "string",
}  # fmt: skip
"""Column -> Arrow type of a segment `var/traces/<first ns>-<sequence>.parquet`. Ids are lower-case hex, no parent is an empty string,
`kind` and `status` are names without prefix, `attributes` is a JSON object (resource attributes other than the two above are in it as `resource.<name>`)."""


@dataclass(frozen=True)
class Span:
    """One row of a segment, `attributes` decoded. Times are Unix nanoseconds."""

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    kind: SpanKind
    service: str
    component: str
    start_ns: int
    end_ns: int
    status: Status = "UNSET"
    status_message: str = ""
    attributes: dict[str, object] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return (self.end_ns - self.start_ns) / 1e9
