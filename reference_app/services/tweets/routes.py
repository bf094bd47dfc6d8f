"""HTTP of the tweets service."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api, consistency, ids
from reference_app.contract.api import Internal
from reference_app.instrumentation import service
from reference_app.kit.failpoints import Failpoints
from reference_app.services.tweets.counting import Counting
from reference_app.services.tweets.deleting import Deleting
from reference_app.services.tweets.engagement import Engagement
from reference_app.services.tweets.posting import Posting
from reference_app.services.tweets.reading import Reading
from reference_app.services.tweets.relay import Relay


@dataclass(frozen=True)
class Endpoints:
    posting: Posting
    reading: Reading
    engagement: Engagement
    deleting: Deleting
    relay: Relay
    counting: Counting
    failpoints: Failpoints

    def routes(self) -> list[Route]:
        return [
            Route(Internal.CREATE, self.create, methods=["POST"]),
            Route(Internal.MULTIGET, self.multiget, methods=["POST"]),
            Route(Internal.BY_USERS, self.by_users, methods=["POST"]),
            Route(Internal.TWEET, self.one, methods=["GET"]),
            Route(Internal.TWEET, self.delete, methods=["DELETE"]),
            Route(Internal.LIKE, self.like, methods=["PUT"]),
            Route(Internal.LIKE, self.unlike, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        wanted = await service.body(request, api.NewTweet)
        if wanted.retweet_of is None:
            created = await self.posting.post(wanted)
        else:
            created = await self.engagement.retweet(wanted.user_id, wanted.retweet_of)
        response = service.json_response(created, 201)

        async def publish_soon() -> None:
            self.failpoints.hit("post.after_reply")
            self.relay.wake(ids.shard_of(created.tweet.id))
            if created.tweet.retweet_of is not None:
                self.counting.wake(ids.shard_of(created.tweet.id))

        response.background = BackgroundTask(publish_soon)
        return response

    async def multiget(self, request: Request) -> Response:
        wanted = await service.body(request, api.Ids)
        return service.json_response(await self.reading.multiget(wanted.ids, consistency.positions(wanted.own)))

    async def by_users(self, request: Request) -> Response:
        wanted = await service.body(request, api.ByUsers)
        own = consistency.positions(wanted.own)
        found = await self.reading.ids_by_users(wanted.user_ids, limit=wanted.limit, before=wanted.before, own=own)
        return service.json_response(found)

    async def one(self, request: Request) -> Response:
        own = consistency.positions(request.query_params.get("own", ""))
        return service.json_response(await self.reading.one(service.path_id(request, "tweet_id"), own))

    async def delete(self, request: Request) -> Response:
        tweet_id = service.path_id(request, "tweet_id")
        await self.deleting.delete(tweet_id, service.integer(request, "user_id", default=0, low=1, high=api.MAX_ID))
        self.relay.wake(ids.shard_of(tweet_id))
        self.counting.wake(ids.shard_of(tweet_id))
        return Response(status_code=204)

    async def like(self, request: Request) -> Response:
        tweet_id = service.path_id(request, "tweet_id")
        await self.engagement.like(tweet_id, service.path_id(request, "user_id"))
        self.counting.wake(ids.shard_of(tweet_id))
        return Response(status_code=204)

    async def unlike(self, request: Request) -> Response:
        tweet_id = service.path_id(request, "tweet_id")
        await self.engagement.unlike(tweet_id, service.path_id(request, "user_id"))
        self.counting.wake(ids.shard_of(tweet_id))
        return Response(status_code=204)
