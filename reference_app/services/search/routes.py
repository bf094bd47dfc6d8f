"""HTTP in; ids and trends out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api
from reference_app.instrumentation import service
from reference_app.services.search.consumer import Consumer
from reference_app.services.search.recent import Recent


class Endpoints:
    def __init__(self, recent: Recent, consumer: Consumer) -> None:
        self._recent, self._consumer = recent, consumer

    def routes(self) -> list[Route]:
        return [Route(api.Internal.SEARCH, self.search, methods=["GET"]), Route(api.Internal.TRENDS, self.trends, methods=["GET"])]

    async def search(self, request: Request) -> Response:
        before = service.integer(request, "before", default=api.MAX_ID, low=1, high=api.MAX_ID)
        found = self._recent.search(request.query_params.get("q", ""), limit=_limit(request), before=before)
        return service.json_response(api.TweetIds(found, self._consumer.complete))

    async def trends(self, request: Request) -> Response:
        return service.json_response(self._recent.trends(_limit(request)))


def _limit(request: Request) -> int:
    return service.integer(request, "limit", default=api.PAGE_DEFAULT, low=1, high=api.PAGE_MAX)
