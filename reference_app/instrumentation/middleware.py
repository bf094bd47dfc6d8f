"""One pure ASGI middleware around every service: request id, trace, deadline, metrics, log line, and errors as JSON with a code."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_app.contract import api, spans
from reference_app.instrumentation import logs
from reference_app.instrumentation.recorder import Recorder
from reference_app.instrumentation.request_faults import RequestFaults
from reference_app.kit import deadline, errors, http, tracing
from reference_app.kit.deciders import Deciders

logger = logging.getLogger("http")
UNMATCHED = "unmatched"
_TRACEPARENT, _REQUEST_ID, _DEADLINE_MS = api.TRACEPARENT.encode(), api.REQUEST_ID.encode(), api.DEADLINE_MS.encode()
_FAULT = api.FAULT.encode()
_DEADLINE_DIGITS = 9
_QUIET = {api.HEALTH, api.METRICS}
ERROR_CODE = "failwhale.error_code"
"""Key of the scope under which the code of an error answer stands."""


class _Answer:
    """Sends the answer to a request, with its id, and remembers its status."""

    __slots__ = ("_identifier", "_send", "status")

    def __init__(self, send: Send, identifier: bytes) -> None:
        self._send, self._identifier, self.status = send, identifier, 500

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (_REQUEST_ID, self._identifier)]
        return self._send(message)


class Instrumented:
    """Wraps an ASGI app. `templates` names an endpoint's route.

    `entry` is given to the service that users reach: it decides which of the requests that bring no trace are sampled, and logs every
    request. Services behind it take that decision as it comes, and log what failed or whose trace is kept.
    """

    def __init__(
        self, app: ASGIApp, recorder: Recorder, *, templates: Mapping[Callable[..., Any], str], entry: Deciders | None = None
    ) -> None:
        self._app, self._recorder, self._templates, self._entry = app, recorder, templates, entry
        self.faults: RequestFaults | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        started, headers = time.perf_counter(), dict(scope["headers"])
        span = self._enter(headers)
        answer = _Answer(send, _identified(headers, span))
        try:
            if _FAULT in headers and self.faults is not None:
                await self.faults.strike(headers[_FAULT].decode("latin-1"), span.context.trace_id)
            await self._app(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a stated error
            await _send_error(scope, answer, _stated(scope, error))
        finally:
            self._told(scope, answer.status, time.perf_counter() - started, span)

    def _enter(self, headers: Mapping[bytes, bytes]) -> tracing.Span:
        """Sets what the request works under: its trace and its deadline."""
        parent = tracing.parse(headers[_TRACEPARENT].decode("latin-1")) if _TRACEPARENT in headers else None
        sampled = parent is None and self._entry is not None and self._entry.on("trace_sampling")
        remaining = headers.get(_DEADLINE_MS, b"")
        if remaining.isdigit() and len(remaining) <= _DEADLINE_DIGITS:
            deadline.start(int(remaining) / 1000 * (1 - deadline.WAY_BACK))
        return tracing.enter(parent, sampled=sampled)

    def _told(self, scope: Scope, status: int, seconds: float, span: tracing.Span) -> None:
        method, route = scope["method"], self._templates.get(scope.get("endpoint", None), UNMATCHED)
        error = scope.get(ERROR_CODE, "")
        kept = self._recorder.http_server(method, route, status, seconds, span=span, path=scope["path"], error=error)
        if kept or self._entry is not None or status >= 500:
            _log(scope, route, status, seconds)


def _identified(headers: Mapping[bytes, bytes], span: tracing.Span) -> bytes:
    """The request's id, from here on that of all calls and log lines: the one that it brings, else its trace id."""
    identifier = headers.get(_REQUEST_ID, b"").decode("ascii", "replace")[:64] or span.context.trace_id
    http.request_id.set(identifier)
    return identifier.encode()


def error_body(error: errors.AppError) -> bytes:
    """The JSON document of an error."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.retry_after is not None:
        body["retry_after"] = error.retry_after
    if error.nack:
        body["nack"] = True
    return msgspec.json.encode({"error": body, "request_id": http.request_id.get()})


def _log(scope: Scope, route: str, status: int, seconds: float) -> None:
    attributes = {spans.METHOD: scope["method"], spans.ROUTE: route, spans.PATH: scope["path"],
                  spans.STATUS_CODE: status, "duration_ms": round(seconds * 1000, 2)}  # fmt: skip
    logs.tell(logger, logging.WARNING if status >= 500 else logging.INFO, "request", attributes)


def _stated(scope: Scope, error: Exception) -> errors.AppError:
    """What the caller is told of an error."""
    if isinstance(error, errors.AppError):
        return error
    if isinstance(error, errors.CallError):
        logger.warning("unhandled call error: %s", error)
        return errors.answer_to(error, writing=False)
    logger.error("unhandled error in %s %s", scope["method"], scope["path"], exc_info=error)
    return errors.AppError("internal", "this is a bug on our side; the log has the request id")


async def _send_error(scope: Scope, send: Callable[[Message], Awaitable[None]], error: errors.AppError) -> None:
    scope[ERROR_CODE] = error.code
    headers = [(b"content-type", b"application/json")]
    if error.retry_after is not None:
        headers.append((b"retry-after", str(max(1, round(error.retry_after))).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": error_body(error)})
