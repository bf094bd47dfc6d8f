"""Load shedding: beyond a number of requests under way the gateway refuses at once, what matters least first. There is no queue: what waits is no longer wanted when it is served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import metrics
from reference_app.instrumentation import guarding
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.deciders import Deciders
from reference_app.services.gateway import criticality
from reference_app.services.gateway.criticality import Criticality

LIMIT, BY_CLASS, VOLUNTARY = "gateway_concurrency", "shed_by_class", "shed_reads"
Endpoint = Callable[[Request], Awaitable[Response]]


class Shedding:
    """One count over all guarded routes; `/health` and `/metrics` are not among them."""

    def __init__(self, deciders: Deciders, recorder: Recorder) -> None:
        self._deciders, self._recorder, self._under_way = deciders, recorder, 0
        self._expired = guarding.expired_work(deciders, recorder)

    def guarded(self, routes: Sequence[Route]) -> list[Route]:
        """The same routes, each behind the count."""
        return [guarding.rerouted(route, self._guarded(route)) for route in routes]

    def check(self, method: str, path: str) -> None:
        """Raises AppError overloaded, and counts it, when a request of that class may not begin now."""
        self._check(path, criticality.of(method, path))

    def _check(self, path: str, of: Criticality) -> None:
        limit = self._deciders.value(LIMIT)
        if self._under_way >= limit * of.share and (self._under_way >= limit or self._deciders.on(BY_CLASS)):
            self._refuse(path, of, "too many requests are under way: try again in a moment")
        if of.voluntary and self._deciders.on(VOLUNTARY):
            self._refuse(path, of, "reads are refused at the moment, so that posts have room: try again in a moment")

    def _refuse(self, path: str, of: Criticality, message: str) -> None:
        self._recorder.count(metrics.SHED, path, of.name)
        raise errors.AppError("overloaded", message, retry_after=1)

    def _guarded(self, route: Route) -> Endpoint:
        path, endpoint = route.path, route.endpoint
        of = criticality.of(_method(route), path)
        self._recorder.from_zero(metrics.SHED, path, of.name)

        async def answer(request: Request) -> Response:
            self._check(path, of)
            self._under_way += 1
            try:
                self._expired.check()
                answered: Response = await endpoint(request)
                return answered
            finally:
                self._under_way -= 1

        return answer


def _method(route: Route) -> str:
    """Routes of the gateway have one each; Starlette adds HEAD to GET."""
    return min(route.methods or ("GET",))
