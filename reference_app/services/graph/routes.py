"""HTTP in, edges out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api
from reference_app.instrumentation import service
from reference_app.kit import errors
from reference_app.services.graph import domain
from reference_app.services.graph.store import Follows


class Endpoints:
    def __init__(self, store: Follows) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        return [
            Route(api.Internal.EDGE, self.put, methods=["PUT"]),
            Route(api.Internal.EDGE, self.delete, methods=["DELETE"]),
            Route(api.Internal.FOLLOWEES, self.followees, methods=["GET"]),
            Route(api.Internal.FOLLOWERS, self.followers, methods=["GET"]),
            Route(api.Internal.AMONG, self.among, methods=["POST"]),
        ]

    async def put(self, request: Request) -> Response:
        edge = _edge(request)
        domain.check_edge(**edge)
        try:
            await self._store.put(**edge)
        except errors.CallError as error:
            raise errors.answer_to(error, writing=True) from error
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        try:
            await self._store.delete(**_edge(request))
        except errors.CallError as error:
            raise errors.answer_to(error, writing=True) from error
        return Response(status_code=204)

    async def followees(self, request: Request) -> Response:
        limit = service.integer(request, "limit", default=domain.FOLLOWEES_MAX, low=1, high=domain.FOLLOWEES_MAX)
        return service.json_response(api.Ids(await self._store.followees(service.path_id(request, "user_id"), limit=limit)))

    async def followers(self, request: Request) -> Response:
        user_id = service.path_id(request, "user_id")
        limit = service.integer(request, "limit", default=domain.FOLLOWERS_PAGE_MAX, low=1, high=domain.FOLLOWERS_PAGE_MAX)
        after = service.integer(request, "after", default=0, low=0, high=2**63 - 1)
        ids = await self._store.followers(user_id, after=after, limit=limit)
        count = None if after else await self._store.count_followers(user_id)
        return service.json_response(domain.followers_page(ids, limit=limit, count=count))

    async def among(self, request: Request) -> Response:
        wanted = await service.body(request, api.Ids)
        if len(wanted.ids) > api.MULTIGET_MAX:
            raise errors.AppError("invalid", f"at most {api.MULTIGET_MAX} ids at once")
        return service.json_response(api.Ids(await self._store.among(service.path_id(request, "user_id"), wanted.ids)))


def _edge(request: Request) -> dict[str, int]:
    return {name: service.path_id(request, name) for name in ("follower_id", "followee_id")}
