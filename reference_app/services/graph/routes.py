"""HTTP in, edges out."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api
from reference_app.contract.api import Internal
from reference_app.instrumentation import service
from reference_app.kit import errors
from reference_app.services.graph import domain
from reference_app.services.graph.changing import Changing
from reference_app.services.graph.domain import Edge
from reference_app.services.graph.reading import Reading


class Endpoints:
    def __init__(self, changing: Changing, reading: Reading) -> None:
        self._changing, self._reading = changing, reading

    def routes(self) -> list[Route]:
        return [
            Route(Internal.EDGE, self.follow, methods=["PUT"]),
            Route(Internal.EDGE, self.unfollow, methods=["DELETE"]),
            Route(Internal.BLOCK, self.block, methods=["PUT"]),
            Route(Internal.BLOCK, self.unblock, methods=["DELETE"]),
            Route(Internal.FOLLOWEES, self.followees, methods=["GET"]),
            Route(Internal.FOLLOWERS, self.followers, methods=["GET"]),
            Route(Internal.AMONG, self.among, methods=["POST"]),
        ]

    async def follow(self, request: Request) -> Response:
        edge = _edge(request)
        domain.check_pair(*edge, verb="follow")
        return await _done(self._changing.follow(edge))

    async def unfollow(self, request: Request) -> Response:
        return await _done(self._changing.unfollow(_edge(request)))

    async def block(self, request: Request) -> Response:
        pair = _pair(request, "blocker_id", "blocked_id")
        domain.check_pair(*pair, verb="block")
        return await _done(self._changing.block(*pair))

    async def unblock(self, request: Request) -> Response:
        return await _done(self._changing.unblock(*_pair(request, "blocker_id", "blocked_id")))

    async def followees(self, request: Request) -> Response:
        limit = service.integer(request, "limit", default=domain.FOLLOWEES_MAX, low=1, high=domain.FOLLOWEES_MAX)
        over = service.integer(request, "celebrity_over", default=-1, low=0, high=api.MAX_ID)
        user_id = service.path_id(request, "user_id")
        return service.json_response(await self._reading.following(user_id, limit=limit, celebrity_over=None if over < 0 else over))

    async def followers(self, request: Request) -> Response:
        user_id = service.path_id(request, "user_id")
        limit = service.integer(request, "limit", default=domain.FOLLOWERS_PAGE_MAX, low=1, high=domain.FOLLOWERS_PAGE_MAX)
        after = service.integer(request, "after", default=0, low=0, high=api.MAX_ID)
        ids = await self._reading.followers(user_id, after=after, limit=limit)
        count = None if after else await self._reading.count_followers(user_id)
        return service.json_response(domain.followers_page(ids, limit=limit, count=count))

    async def among(self, request: Request) -> Response:
        wanted = await service.body(request, api.Ids)
        if len(wanted.ids) > api.MULTIGET_MAX:
            raise errors.AppError("invalid", f"at most {api.MULTIGET_MAX} ids at once")
        return service.json_response(api.Ids(await self._reading.among(service.path_id(request, "user_id"), wanted.ids)))


async def _done(change: Awaitable[None]) -> Response:
    try:
        await change
    except errors.CallError as error:
        raise errors.answer_to(error, writing=True) from error
    return Response(status_code=204)


def _edge(request: Request) -> Edge:
    return Edge(*_pair(request, "follower_id", "followee_id"))


def _pair(request: Request, one: str, other: str) -> tuple[int, int]:
    return service.path_id(request, one), service.path_id(request, other)
