"""Fields of log lines: each line that a process of ours writes is one JSON object with these fields and no others."""

from __future__ import annotations

ALWAYS = {
    "timestamp": "ISO 8601 in UTC, with milliseconds",
    "severity": "INFO, WARNING, ERROR or CRITICAL",
    "component": "process that wrote it, such as `tweets-0`",
    "logger": "Python module, `http` for requests, `uvicorn.error` for the server itself",
    "message": "what happened, for people",
}
"""On every line."""

SOMETIMES = {
    "request_id": "request that it was written for (`X-Request-Id`): `failwhale logs --request`",
    "trace_id": "trace that it was written for, sampled or not",
    "span_id": "operation that it was written in, a span if its trace is kept",
    "exception": "traceback of an error that nobody expected",
    "http.request.method": "of a request that was answered", "http.route": "its route template", "url.path": "its path",
    "http.response.status_code": "its status", "duration_ms": "duration of the request, or of the work on an event, in milliseconds",
    "subject": "of an event that was published or worked on", "message_id": "id of a published event, by which the stream drops a second copy",
}  # fmt: skip
"""On lines that they apply to."""

FIELDS = ALWAYS | SOMETIMES
