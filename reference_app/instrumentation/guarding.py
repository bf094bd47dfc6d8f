"""What stands before every endpoint of a service: is the caller still waiting, and is there room to work on it?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import metrics
from reference_app.contract.profile import LAB, Profile
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.concurrency import ConcurrencyLimit
from reference_app.kit.deadline import ExpiredWork
from reference_app.kit.deciders import Deciders

Endpoint = Callable[[Request], Awaitable[Response]]


class Guard:
    """Of a service behind the gateway. `/health` and `/metrics` are not guarded: an operator's question never waits in line."""

    def __init__(self, deciders: Deciders, recorder: Recorder, *, profile: Profile = LAB) -> None:
        self._recorder, self._expired = recorder, expired_work(deciders, recorder)
        self._limit = ConcurrencyLimit(running=lambda: deciders.value("service_concurrency"), waiting=profile.service_waiting)
        recorder.watch(metrics.REQUESTS_WAITING, lambda: float(self._limit.waiting))

    def around(self, routes: Sequence[Route]) -> list[Route]:
        """The same routes, guarded."""
        return [rerouted(route, self._guarded(route.path, route.endpoint)) for route in routes]

    def _guarded(self, path: str, endpoint: Endpoint) -> Endpoint:
        self._recorder.from_zero(metrics.NACKS, path)

        async def answer(request: Request) -> Response:
            if not self._limit.enter():
                await self._wait(path)
            try:
                self._expired.check()
                return await endpoint(request)
            finally:
                self._limit.leave()

        return answer

    async def _wait(self, path: str) -> None:
        try:
            await self._limit.wait()
        except errors.AppError as error:
            if error.nack:
                self._recorder.count(metrics.NACKS, path)
            raise


def rerouted(route: Route, endpoint: Endpoint) -> Route:
    """The route with another endpoint."""
    return Route(route.path, endpoint, methods=sorted(route.methods or ()))


def expired_work(deciders: Deciders, recorder: Recorder) -> ExpiredWork:
    """The check of a process, counted."""
    return ExpiredWork(enabled=lambda: deciders.on("refuse_expired"), count=lambda result: recorder.count(metrics.EXPIRED, result))
