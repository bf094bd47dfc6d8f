"""Search and trends, public: ids from the search service, dressed as a page of tweets."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api
from reference_app.contract.profile import LAB
from reference_app.instrumentation import service
from reference_app.kit import deadline
from reference_app.services.gateway import access, domain
from reference_app.services.gateway.callees import Callees

_NO_RETWEETS = api.Tweets([], [], [])
"""A retweet has no text of its own to be found by."""


@dataclass(frozen=True)
class Endpoints:
    callees: Callees

    def routes(self) -> list[Route]:
        return [Route(api.SEARCH, self.search, methods=["GET"]), Route(api.TRENDS, self.trends, methods=["GET"])]

    async def search(self, request: Request) -> Response:
        """A page goes on below its last id found, whether that tweet is shown or was deleted meanwhile."""
        deadline.start(LAB.home_deadline)
        limit, before = access.limit(request), access.cursor(request)
        found = await self.callees.search(request.query_params.get("q", ""), limit=limit, before=before)
        tweets = await self.callees.tweets(found.ids)
        authors = {tweet.user_id for tweet in tweets.tweets}
        handles = await self.callees.handles_if_any(sorted(authors)) if authors else {}
        return service.json_response(domain.page_of(found, tweets, _NO_RETWEETS, handles, limit=limit))

    async def trends(self, request: Request) -> Response:
        deadline.start(LAB.home_deadline)
        return service.json_response(await self.callees.trends(access.limit(request)))
