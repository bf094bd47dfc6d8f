"""People: whom a user follows and whom a user blocks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api
from reference_app.contract.profile import LAB
from reference_app.instrumentation import service
from reference_app.kit import deadline
from reference_app.services.gateway import domain
from reference_app.services.gateway.access import Access
from reference_app.services.gateway.callees import Callees


@dataclass(frozen=True)
class Endpoints:
    """What changes a home timeline also has it forgotten, so that the next read rebuilds it."""

    callees: Callees
    access: Access

    def routes(self) -> list[Route]:
        return [
            Route(api.FOLLOWING, self.follow, methods=["PUT"]),
            Route(api.FOLLOWING, self.unfollow, methods=["DELETE"]),
            Route(api.BLOCKING, self.block, methods=["PUT"]),
            Route(api.BLOCKING, self.unblock, methods=["DELETE"]),
        ]

    async def follow(self, request: Request) -> Response:
        user_id, other_id = self._pair(request)
        domain.require_user(await self.callees.handles([other_id]), other_id)
        await self.callees.follow(follower_id=user_id, followee_id=other_id)
        return await self._changed(user_id)

    async def unfollow(self, request: Request) -> Response:
        user_id, other_id = self._pair(request)
        await self.callees.unfollow(follower_id=user_id, followee_id=other_id)
        return await self._changed(user_id)

    async def block(self, request: Request) -> Response:
        """Ends both follows, so that both homes change."""
        user_id, other_id = self._pair(request)
        domain.require_user(await self.callees.handles([other_id]), other_id)
        await self.callees.block(blocker_id=user_id, blocked_id=other_id)
        return await self._changed(user_id, other_id)

    async def unblock(self, request: Request) -> Response:
        user_id, other_id = self._pair(request)
        await self.callees.unblock(blocker_id=user_id, blocked_id=other_id)
        return await self._changed(user_id)

    def _pair(self, request: Request) -> tuple[int, int]:
        deadline.start(LAB.post_deadline)
        return self.access.user(request), service.path_id(request, "user_id")

    async def _changed(self, *user_ids: int) -> Response:
        await asyncio.gather(*(self.callees.forget_home(user_id) for user_id in user_ids))
        return Response(status_code=204)
