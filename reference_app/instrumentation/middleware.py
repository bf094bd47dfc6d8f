"""One pure ASGI middleware around every service: request id, trace, deadline, metrics, log line, and errors as JSON with a code."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_app.contract import api, spans
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deadline, errors, http, tracing
from reference_app.kit.deciders import Deciders

logger = logging.getLogger("http")
UNMATCHED = "unmatched"
_TRACEPARENT, _REQUEST_ID, _DEADLINE_MS = api.TRACEPARENT.encode(), api.REQUEST_ID.encode(), api.DEADLINE_MS.encode()
_DEADLINE_DIGITS = 9
_QUIET = {api.HEALTH, api.METRICS}
ERROR_CODE = "failwhale.error_code"
"""Key of the scope under which the code of an error answer stands."""


class Instrumented:
    """Wraps an ASGI app. `templates` names an endpoint's route.

    `entry` is given to the service that users reach: it decides which of the requests that bring no trace are sampled, and logs every
    request. Services behind it take that decision as it comes, and log what failed or is sampled.
    """

    def __init__(
        self, app: ASGIApp, recorder: Recorder, *, templates: Mapping[Callable[..., Any], str], entry: Deciders | None = None
    ) -> None:
        self._app, self._recorder, self._templates, self._entry = app, recorder, templates, entry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        await self._measured(scope, receive, send)

    async def _measured(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = time.perf_counter(), 500
        identifier, span = self._enter(scope)

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (_REQUEST_ID, identifier.encode())]
            await send(message)

        try:
            await self._answered(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - started
            route = self._templates.get(scope.get("endpoint", None), UNMATCHED)
            self._recorder.http_server(scope["method"], route, status, seconds, span=span, error=scope.get(ERROR_CODE, ""))
            if self._entry is not None or span is not None or status >= 500:
                _log(scope, route, status, seconds)

    def _enter(self, scope: Scope) -> tuple[str, tracing.Span | None]:
        """Sets what the request works under: its trace, its id, its deadline."""
        headers = dict(scope["headers"])
        parent = tracing.parse(headers.get(_TRACEPARENT, b"").decode("latin-1"))
        sampled = parent is None and self._entry is not None and self._entry.on("trace_sampling")
        span = tracing.enter(parent, sampled=sampled)
        if span is not None:
            span.attributes[spans.PATH] = scope["path"]
        identifier = headers.get(_REQUEST_ID, b"").decode("ascii", "replace")[:64] or tracing.trace_id()
        http.request_id.set(identifier)
        remaining = headers.get(_DEADLINE_MS, b"")
        if remaining.isdigit() and len(remaining) <= _DEADLINE_DIGITS:
            deadline.start(int(remaining) / 1000)
        return identifier, span

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except errors.AppError as error:
            await _send_error(scope, send, error)
        except errors.CallError as error:
            logger.warning("unhandled call error: %s", error)
            await _send_error(scope, send, errors.answer_to(error, writing=False))
        except Exception:
            logger.exception("unhandled error in %s %s", scope["method"], scope["path"])
            await _send_error(scope, send, errors.AppError("internal", "this is a bug on our side; the log has the request id"))


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
    logger.log(logging.WARNING if status >= 500 else logging.INFO, "request", extra={"attributes": attributes})


async def _send_error(scope: Scope, send: Send, error: errors.AppError) -> None:
    scope[ERROR_CODE] = error.code
    headers = [(b"content-type", b"application/json")]
    if error.retry_after is not None:
        headers.append((b"retry-after", str(max(1, round(error.retry_after))).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": error_body(error)})
