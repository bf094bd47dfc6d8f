"""The frame that all services share: routes in, a measured ASGI app out, with `/health` and `/metrics`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import msgspec
import prometheus_client
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from reference_app.contract import api, metrics
from reference_app.contract.metrics import Metric
from reference_app.instrumentation import announcing, exporter, logs, middleware
from reference_app.instrumentation.guarding import Guard
from reference_app.instrumentation.recorder import CONTENT_TYPE, Recorder
from reference_app.instrumentation.request_faults import Meant, RequestFaults
from reference_app.instrumentation.routing import Router
from reference_app.kit import errors, lifecycle
from reference_app.kit.deciders import Deciders
from reference_app.kit.settings import Settings
from reference_app.kit.warmup import Gate

T = TypeVar("T")


def run(
    compose: Callable[[Settings, Recorder], AbstractAsyncContextManager[ASGIApp]],
    *,
    exported: Sequence[Metric] = metrics.SERVICE_METRICS,
) -> None:
    """Be this process: read the settings, serve the app that `compose` yields until SIGTERM. `exported` are its metrics."""
    settings = Settings.from_environment()
    logs.configure(settings.component.name)
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more per series that nobody reads
    with exporter.recording(settings.lab, settings.component, exported) as recorder:
        lifecycle.serve(lambda: _observed(compose, settings, recorder), settings.component.port)


@asynccontextmanager
async def _observed(
    compose: Callable[[Settings, Recorder], AbstractAsyncContextManager[ASGIApp]], settings: Settings, recorder: Recorder
) -> AsyncIterator[ASGIApp]:
    async with announcing.announcing(settings, recorder), compose(settings, recorder) as served:
        if isinstance(served, middleware.Instrumented):
            served.faults = RequestFaults(
                settings.component.group,
                Deciders(settings.home.deciders_file),
                count=lambda kind: recorder.count(metrics.REQUEST_FAULTS, kind),
            )
            served.meant = Meant(settings.home.request_faults_file) if served.entry else None
        yield served


def app(
    routes: Sequence[Route], recorder: Recorder, *, guard: Guard | None = None, gate: Gate | None = None, entry: Deciders | None = None
) -> ASGIApp:
    """The service's ASGI app; `gate` says when it is ready, `entry` makes it the one that users reach (middleware.Instrumented)."""

    async def exposition(_request: Request) -> Response:
        return Response(recorder.exposition(), media_type=CONTENT_TYPE)

    async def health(_request: Request) -> Response:
        ready = gate is None or await gate.ready()
        return Response(b"ok", media_type="text/plain") if ready else Response(b"warming", 503, media_type="text/plain")

    if guard is not None:
        routes = guard.around(routes)
    own = [Route(api.HEALTH, health), Route(api.METRICS, exposition)]
    return middleware.Instrumented(Router([*own, *routes]), recorder, entry=entry)


def json_response(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A value as JSON."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


async def body(request: Request, shape: type[T]) -> T:
    """The request's JSON as `shape`. Raises AppError too_large, bad_request (no JSON, or not all of it) or invalid (wrong shape)."""
    content = b""
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > api.BODY_MAX:
                raise errors.AppError("too_large", f"the body exceeds {api.BODY_MAX} bytes")
    except ClientDisconnect:
        raise errors.AppError("bad_request", "the client went away before its body had come") from None
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.ValidationError as error:
        raise errors.AppError("invalid", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise errors.AppError("bad_request", f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise errors.AppError("bad_request", "the body is nested too deeply") from error


def integer(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    """A query parameter. Raises AppError invalid when it is no integer in [low, high]."""
    text = request.query_params.get(name) if request.scope["query_string"] else None
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and low <= int(text) <= high):
        raise errors.AppError("invalid", f"{name} must be an integer from {low} to {high}")
    return int(text)


def path_id(request: Request, name: str) -> int:
    """An id in the path. Raises AppError invalid when it is none."""
    text: Any = request.path_params[name]
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and 0 < int(text) < 1 << 63):
        raise errors.AppError("invalid", f"{name} must be a positive integer below 2^63")
    return int(text)
