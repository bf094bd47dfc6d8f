"""Reading: the home timeline of a user, and the public timeline of any."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api, metrics
from reference_app.contract.profile import LAB
from reference_app.instrumentation import service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deadline, pages
from reference_app.services.gateway import access, domain
from reference_app.services.gateway.access import Access
from reference_app.services.gateway.callees import Callees


@dataclass(frozen=True)
class Endpoints:
    callees: Callees
    access: Access
    recorder: Recorder

    def routes(self) -> list[Route]:
        return [
            Route(api.HOME, self.home, methods=["GET"]),
            Route(api.USER_TWEETS, self.user_timeline, methods=["GET"]),
        ]

    async def home(self, request: Request) -> Response:
        deadline.start(LAB.home_deadline)
        user_id = self.access.user(request)
        page = await self.callees.home(user_id, limit=access.limit(request), cursor=access.cursor(request))
        self.recorder.count(metrics.HOME_PAGES, "complete" if pages.is_complete(page) else "partial")
        return Response(page, media_type="application/json")

    async def user_timeline(self, request: Request) -> Response:
        """Public, as Twitter's was."""
        deadline.start(LAB.home_deadline)
        user_id, limit, own = service.path_id(request, "user_id"), access.limit(request), access.own(request)
        handles, found = await asyncio.gather(
            self.callees.handles_if_any([user_id]), self.callees.tweet_ids(user_id, limit=limit, before=access.cursor(request), own=own)
        )
        if handles is not None:
            domain.require_user(handles, user_id)
        tweets = await self.callees.tweets(found.ids, own=own)
        originals = await self.callees.originals(tweets.tweets)
        known = await self._with_authors(handles, originals.tweets)
        return service.json_response(domain.page_of(found, tweets, originals, known, limit=limit))

    async def _with_authors(self, handles: dict[int, str] | None, originals: Sequence[api.Tweet]) -> dict[int, str] | None:
        unknown = {tweet.user_id for tweet in originals} - (handles or {}).keys()
        if handles is None or not unknown:
            return handles
        more = await self.callees.handles_if_any(sorted(unknown))
        return {**handles, **(more or {})}
