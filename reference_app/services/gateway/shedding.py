"""Load shedding: beyond a number of requests under way the gateway refuses at once. There is no queue: what waits is no longer wanted when it is served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import metrics
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import errors
from reference_app.kit.deciders import Deciders

LIMIT = "gateway_concurrency"
Endpoint = Callable[[Request], Awaitable[Response]]


class Shedding:
    """One count over all guarded routes; `/health` and `/metrics` are not among them."""

    def __init__(self, deciders: Deciders, recorder: Recorder) -> None:
        self._deciders, self._recorder, self._under_way = deciders, recorder, 0

    def guarded(self, routes: Sequence[Route]) -> list[Route]:
        """The same routes, each behind the count."""
        return [Route(route.path, self._guarded(route.path, route.endpoint), methods=sorted(route.methods or ())) for route in routes]

    def check(self, path: str) -> None:
        """Raises AppError overloaded, and counts it for the route."""
        if self._under_way >= self._deciders.value(LIMIT):
            self._recorder.count(metrics.SHED, path)
            raise errors.AppError("overloaded", "too many requests are under way: try again in a moment", retry_after=1)

    def _guarded(self, path: str, endpoint: Endpoint) -> Endpoint:
        async def answer(request: Request) -> Response:
            self.check(path)
            self._under_way += 1
            try:
                return await endpoint(request)
            finally:
                self._under_way -= 1

        return answer
