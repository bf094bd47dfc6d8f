"""Tweets one by one: post, show, delete, retweet, like."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api, consistency
from reference_app.contract.profile import LAB
from reference_app.instrumentation import service
from reference_app.kit import deadline, errors, pages
from reference_app.kit.pages import PublicPageTweet
from reference_app.services.gateway import access, domain
from reference_app.services.gateway.access import Access
from reference_app.services.gateway.callees import Callees
from reference_app.services.gateway.daily_limits import DailyLimits


@dataclass(frozen=True)
class Endpoints:
    callees: Callees
    access: Access
    limits: DailyLimits

    def routes(self) -> list[Route]:
        return [
            Route(api.TWEETS, self.post, methods=["POST"]),
            Route(api.TWEET, self.show, methods=["GET"]),
            Route(api.TWEET, self.delete, methods=["DELETE"]),
            Route(api.RETWEET, self.retweet, methods=["PUT"]),
            Route(api.LIKE, self.like, methods=["PUT"]),
            Route(api.LIKE, self.unlike, methods=["DELETE"]),
        ]

    async def post(self, request: Request) -> Response:
        """A reply may name a tweet that is gone: conversations outlive their tweets."""
        deadline.start(LAB.post_deadline)
        user_id = self.access.user(request)
        key, held = domain.idempotency_key(request.headers.get(api.IDEMPOTENCY_KEY)), access.own(request)
        wanted = await service.body(request, domain.NewTweet)
        replied = None if wanted.in_reply_to is None else domain.tweet_id(wanted.in_reply_to, "in_reply_to")
        tweet = api.NewTweet(user_id, key, domain.tweet_text(wanted.text), in_reply_to=replied)
        self.limits.take_post(user_id)
        created = await self.callees.post(tweet)
        return _created(domain.rendered_tweet(created.tweet), created, held)

    async def show(self, request: Request) -> Response:
        """Public, as user timelines are."""
        deadline.start(LAB.home_deadline)
        tweet_id = service.path_id(request, "tweet_id")
        shown, counts = await asyncio.gather(self._shown(tweet_id, access.own(request)), self.callees.counts_if_any(tweet_id))
        return service.json_response(domain.rendered_counted(shown, counts))

    async def delete(self, request: Request) -> Response:
        tweet_id, user_id = self._tweet_and_user(request)
        await self.callees.delete(tweet_id=tweet_id, user_id=user_id)
        return Response(status_code=204)

    async def retweet(self, request: Request) -> Response:
        (tweet_id, user_id), held = self._tweet_and_user(request), access.own(request)
        created = await self.callees.post(api.NewTweet(user_id, f"{api.RETWEET_KEY}{tweet_id}", "", retweet_of=tweet_id))
        return _created(await self._page_tweet(created.tweet), created, held)

    async def like(self, request: Request) -> Response:
        tweet_id, user_id = self._tweet_and_user(request)
        await self.callees.like(tweet_id=tweet_id, user_id=user_id)
        return Response(status_code=204)

    async def unlike(self, request: Request) -> Response:
        tweet_id, user_id = self._tweet_and_user(request)
        await self.callees.unlike(tweet_id=tweet_id, user_id=user_id)
        return Response(status_code=204)

    def _tweet_and_user(self, request: Request) -> tuple[int, int]:
        deadline.start(LAB.post_deadline)
        user_id = self.access.user(request)
        return service.path_id(request, "tweet_id"), user_id

    async def _shown(self, tweet_id: int, own: str) -> PublicPageTweet:
        return await self._page_tweet(await self.callees.tweet(tweet_id, own=own))

    async def _page_tweet(self, tweet: api.Tweet) -> PublicPageTweet:
        by_id = {original.id: original for original in (await self.callees.originals([tweet])).tweets}
        if tweet.retweet_of is not None and tweet.retweet_of not in by_id:
            raise errors.AppError("unavailable", f"the original of retweet {tweet.id} is not to be had at the moment", retry_after=1)
        handles = await self.callees.handles_if_any(sorted({shown.user_id for shown in (tweet, *by_id.values())}))
        return pages.page_tweet(tweet, by_id, handles or {})


def _created(tweet: object, created: api.Created, held: str) -> Response:
    headers = {api.CONSISTENCY: consistency.merged(held, created.own)} if created.own else {}
    if created.replayed:
        headers[api.IDEMPOTENCY_REPLAYED] = "true"
    return service.json_response(tweet, 201, headers)
