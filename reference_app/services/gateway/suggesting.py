"""Whom a user may want to follow: computed aside, served from the key-value tier, and left out when that has no answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api
from reference_app.contract.profile import LAB
from reference_app.instrumentation import service
from reference_app.kit import deadline, errors
from reference_app.services.gateway import access, domain
from reference_app.services.gateway.access import Access
from reference_app.services.gateway.callees import Callees


@dataclass(frozen=True)
class Endpoints:
    callees: Callees
    access: Access

    def routes(self) -> list[Route]:
        return [
            Route(api.SUGGESTIONS, self.suggestions, methods=["GET"]),
            Route(api.SUGGESTION, self.dismiss, methods=["DELETE"]),
        ]

    async def suggestions(self, request: Request) -> Response:
        """`partial` when something that is needed did not answer: then nobody is suggested."""
        deadline.start(LAB.home_deadline)
        user_id, limit = self.access.user(request), access.limit(request)
        try:
            return service.json_response(domain.Suggestions(await self._suggested(user_id, limit), partial=False))
        except errors.AppError:
            return service.json_response(domain.Suggestions([], partial=True))

    async def dismiss(self, request: Request) -> Response:
        deadline.start(LAB.post_deadline)
        user_id = self.access.user(request)
        await self.callees.dismiss(user_id, service.path_id(request, "user_id"))
        return Response(status_code=204)

    async def _suggested(self, user_id: int, limit: int) -> list[domain.PublicUser]:
        computed = await self.callees.who_to_follow(user_id)
        if not computed:
            return []
        following, dismissed = await asyncio.gather(self.callees.following(user_id), self.callees.dismissed(user_id, computed))
        shown = _without(computed, {user_id, *following.ids, *following.blocked, *dismissed})[:limit]
        handles = await self.callees.handles(shown) if shown else {}
        return [domain.PublicUser(str(other), handles[other]) for other in shown if other in handles]


def _without(user_ids: Sequence[int], left_out: set[int]) -> list[int]:
    return [user_id for user_id in user_ids if user_id not in left_out]
