"""The public endpoints (contract.api)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api, metrics, tokens
from reference_app.contract.profile import LAB
from reference_app.instrumentation import service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import deadline, errors
from reference_app.services.gateway import domain
from reference_app.services.gateway.callees import Callees


@dataclass(frozen=True)
class _NewTweet:
    text: str


class Endpoints:
    def __init__(self, callees: Callees, recorder: Recorder, *, signing_key: str, now: Callable[[], float] = time.time) -> None:
        self._callees, self._recorder, self._signing_key, self._now = callees, recorder, signing_key, now

    def routes(self) -> list[Route]:
        return [
            Route(api.USERS, self.register, methods=["POST"]),
            Route(api.TOKENS, self.log_in, methods=["POST"]),
            Route(api.TWEETS, self.post, methods=["POST"]),
            Route(api.HOME, self.home, methods=["GET"]),
            Route(api.USER_TWEETS, self.user_timeline, methods=["GET"]),
            Route(api.FOLLOWING, self.follow, methods=["PUT"]),
            Route(api.FOLLOWING, self.unfollow, methods=["DELETE"]),
        ]

    async def register(self, request: Request) -> Response:
        deadline.start(LAB.post_deadline)
        return service.json_response(await self._callees.register(await service.body(request, api.Credentials)), 201)

    async def log_in(self, request: Request) -> Response:
        deadline.start(LAB.home_deadline)
        return service.json_response(await self._callees.log_in(await service.body(request, api.Credentials)))

    async def post(self, request: Request) -> Response:
        deadline.start(LAB.post_deadline)
        user_id = self._user(request)
        key = domain.idempotency_key(request.headers.get(api.IDEMPOTENCY_KEY))
        text = domain.tweet_text((await service.body(request, _NewTweet)).text)
        created = await self._callees.post(user_id=user_id, key=key, text=text)
        headers = {api.IDEMPOTENCY_REPLAYED: "true"} if created.replayed else None
        return service.json_response(domain.rendered_tweet(created.tweet), 201, headers)

    async def home(self, request: Request) -> Response:
        deadline.start(LAB.home_deadline)
        user_id = self._user(request)
        page = await self._callees.home(user_id, limit=_limit(request), cursor=_cursor(request))
        self._recorder.count(metrics.HOME_PAGES, "partial" if page.missing else "complete")
        return service.json_response(domain.rendered_page(page))

    async def user_timeline(self, request: Request) -> Response:
        """Public, as Twitter's was."""
        deadline.start(LAB.home_deadline)
        user_id, limit = service.path_id(request, "user_id"), _limit(request)
        handles, found = await asyncio.gather(
            self._callees.handles_if_any([user_id]), self._callees.tweet_ids(user_id, limit=limit, before=_cursor(request))
        )
        handle = None if handles is None else domain.require_user(handles, user_id)
        tweets = await self._callees.tweets(found.ids)
        page = domain.user_page(user_id=user_id, handle=handle, found=found, tweets=tweets, limit=limit)
        return service.json_response(domain.rendered_page(page))

    async def follow(self, request: Request) -> Response:
        deadline.start(LAB.post_deadline)
        follower_id, followee_id = self._user(request), service.path_id(request, "user_id")
        domain.require_user(await self._callees.handles([followee_id]), followee_id)
        await self._callees.follow(follower_id=follower_id, followee_id=followee_id)
        await self._callees.forget_home(follower_id)
        return Response(status_code=204)

    async def unfollow(self, request: Request) -> Response:
        deadline.start(LAB.post_deadline)
        follower_id, followee_id = self._user(request), service.path_id(request, "user_id")
        await self._callees.unfollow(follower_id=follower_id, followee_id=followee_id)
        await self._callees.forget_home(follower_id)
        return Response(status_code=204)

    def _user(self, request: Request) -> int:
        token = domain.bearer_token(request.headers.get("authorization"))
        user_id = tokens.verify(token, key=self._signing_key, now=self._now())
        if user_id is None:
            raise errors.AppError("unauthorized", "the token is not valid or has expired; POST /tokens gives a new one")
        return user_id


def _limit(request: Request) -> int:
    return service.integer(request, "limit", default=api.PAGE_DEFAULT, low=1, high=api.PAGE_MAX)


def _cursor(request: Request) -> int | None:
    return service.integer(request, "cursor", default=0, low=1, high=api.MAX_ID) or None
