"""One pure ASGI middleware around every service: request id, trace, deadline, metrics, log line, and errors as JSON with a code."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from reference_app.contract import api, spans
from reference_app.instrumentation import logs
from reference_app.instrumentation.recorder import Recorder
from reference_app.instrumentation.request_faults import Meant, RequestFaults
from reference_app.instrumentation.routing import Router
from reference_app.kit import deadline, errors, http, tracing
from reference_app.kit.deciders import Deciders
from reference_app.kit.tracing import TraceContext

logger = logging.getLogger("http")
UNMATCHED = "unmatched"
_TRACEPARENT, _REQUEST_ID, _DEADLINE_MS = api.TRACEPARENT.encode(), api.REQUEST_ID.encode(), api.DEADLINE_MS.encode()
_FAULT, _AUTHORIZATION = api.FAULT.encode(), b"authorization"
_DEADLINE_DIGITS, _ID_LENGTH = 9, 64
_QUIET = {api.HEALTH, api.METRICS}


class Instrumented:
    """An ASGI app over routes.

    `entry` is given to the service that users reach: it decides which of the requests that bring no trace are sampled, and logs every
    request. Services behind it take that decision as it comes, and log what failed or whose trace is kept.
    """

    def __init__(self, router: Router, recorder: Recorder, *, entry: Deciders | None = None) -> None:
        self._router, self._recorder, self._entry = router, recorder, entry
        self.faults: RequestFaults | None = None
        self.meant: Meant | None = None

    @property
    def entry(self) -> bool:
        """True for the service that users reach."""
        return self._entry is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in _QUIET:
            await self._quietly(scope, receive, send)
            return
        started, headers = time.perf_counter(), dict(scope["headers"])
        context = self._enter(headers)
        status, route, code = 500, UNMATCHED, ""
        try:
            try:
                endpoint, route = self._router.find(scope)
                if self.faults is not None and (wanted := self._fault(self.faults, headers)):
                    await self.faults.strike(wanted, context.trace_id)
                response = await endpoint(Request(scope, receive, send))
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a stated error
                code, response = self._refusal(scope, error)
            status = response.status_code
            response.raw_headers.append((_REQUEST_ID, http.request_id.get().encode()))
            await response(scope, receive, send)
        finally:
            seconds = time.perf_counter() - started
            kept = self._recorder.http_server(scope["method"], route, status, seconds, context=context, path=scope["path"], error=code)
            if kept or self._entry is not None or status >= 500:
                _log(scope, route, status, seconds)

    def _fault(self, faults: RequestFaults, headers: Mapping[bytes, bytes]) -> str:
        """What the request asks for itself, else what is meant for its user."""
        if _FAULT in headers:
            return headers[_FAULT].decode("latin-1")
        if self.meant is None or not faults.honoured:
            return ""
        return self.meant.fault_of(headers.get(_AUTHORIZATION, b"").decode("latin-1"))

    async def _quietly(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a question of those who watch, which is no request of anybody's."""
        try:
            endpoint, _ = self._router.find(scope)
            response = await endpoint(Request(scope, receive, send))
        except errors.AppError as error:
            _, response = self._refusal(scope, error)
        await response(scope, receive, send)

    def _enter(self, headers: Mapping[bytes, bytes]) -> TraceContext:
        """Sets what the request works under: its trace, its id (the one that it brings, else its trace id), its deadline."""
        parent = tracing.parse(headers[_TRACEPARENT].decode("latin-1")) if _TRACEPARENT in headers else None
        context = tracing.enter(parent, sampled=parent is None and self._entry is not None and self._entry.on("trace_sampling"))
        identifier = headers.get(_REQUEST_ID)
        http.request_id.set(identifier.decode("ascii", "replace")[:_ID_LENGTH] if identifier else context.trace_id)
        remaining = headers.get(_DEADLINE_MS)
        if remaining is not None and len(remaining) <= _DEADLINE_DIGITS and remaining.isdigit():
            deadline.start(int(remaining) / 1000 * (1 - deadline.WAY_BACK))
        return context

    def _refusal(self, scope: Scope, error: Exception) -> tuple[str, Response]:
        """The code and the document of an error answer."""
        stated = _stated(scope, error)
        headers = {} if stated.retry_after is None else {"retry-after": str(max(1, round(stated.retry_after)))}
        if stated.code == "method_not_allowed":
            headers["allow"] = self._router.allowed(scope["path"])
        return stated.code, Response(error_body(stated), stated.status, headers, "application/json")


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
