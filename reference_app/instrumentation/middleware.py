"""One pure ASGI middleware around every service: request id, deadline, metrics, log line, and errors as JSON with a code."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_app.contract import api
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deadline, errors, http

logger = logging.getLogger("http")
UNMATCHED = "unmatched"
_QUIET = {api.HEALTH, api.METRICS}


class Instrumented:
    """Wraps an ASGI app. `templates` names an endpoint's route; `log_all` is for the gateway: services behind it log what failed."""

    def __init__(self, app: ASGIApp, recorder: Recorder, *, templates: Mapping[Callable[..., Any], str], log_all: bool = False) -> None:
        self._app, self._recorder, self._templates, self._log_all = app, recorder, templates, log_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        await self._measured(scope, receive, send)

    async def _measured(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, status = time.perf_counter(), 500
        identifier = _enter(scope)

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (api.REQUEST_ID.encode(), identifier.encode())]
            await send(message)

        try:
            await self._answered(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - started
            route = self._templates.get(scope.get("endpoint", None), UNMATCHED)
            self._recorder.http_server(scope["method"], route, status, seconds)
            self._log(scope, route, status, seconds)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            deadline.limit(float("inf"))
            await self._app(scope, receive, send)
        except errors.AppError as error:
            await _send_error(send, error)
        except errors.CallError as error:
            logger.warning("unhandled call error: %s", error)
            await _send_error(send, errors.answer_to(error, writing=False))
        except Exception:
            logger.exception("unhandled error in %s %s", scope["method"], scope["path"])
            await _send_error(send, errors.AppError("internal", "this is a bug on our side; the log has the request id"))

    def _log(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        if not self._log_all and status < 500:
            return
        attributes = {"http.request.method": scope["method"], "http.route": route, "url.path": scope["path"],
                      "http.response.status_code": status, "duration_ms": round(seconds * 1000, 2)}  # fmt: skip
        logger.log(logging.WARNING if status >= 500 else logging.INFO, "request", extra={"attributes": attributes})


def error_body(error: errors.AppError) -> bytes:
    """The JSON document of an error."""
    body: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.retry_after is not None:
        body["retry_after"] = error.retry_after
    return msgspec.json.encode({"error": body, "request_id": http.request_id.get()})


def _enter(scope: Scope) -> str:
    headers = dict(scope["headers"])
    identifier = headers.get(api.REQUEST_ID.encode(), b"").decode("ascii", "replace")[:64] or secrets.token_hex(8)
    http.request_id.set(identifier)
    remaining = headers.get(api.DEADLINE_MS.encode(), b"")
    if remaining.isdigit():
        deadline.start(int(remaining) / 1000)
    return identifier


async def _send_error(send: Send, error: errors.AppError) -> None:
    headers = [(b"content-type", b"application/json")]
    if error.retry_after is not None:
        headers.append((b"retry-after", str(max(1, round(error.retry_after))).encode()))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": error_body(error)})
