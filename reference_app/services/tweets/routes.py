"""HTTP of the tweets service."""

from __future__ import annotations

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_app.contract import api, ids
from reference_app.contract.api import Internal
from reference_app.instrumentation import service
from reference_app.kit.failpoints import Failpoints
from reference_app.services.tweets.posting import Posting
from reference_app.services.tweets.reading import Reading
from reference_app.services.tweets.relay import Relay


def routes(posting: Posting, reading: Reading, relay: Relay, failpoints: Failpoints) -> list[Route]:
    """Routes over the given parts."""

    async def create(request: Request) -> Response:
        wanted = await service.body(request, api.NewTweet)
        created = await posting.post(wanted.user_id, wanted.key, wanted.text)
        response = service.json_response(created, 201)

        async def publish_soon() -> None:
            failpoints.hit("post.after_reply")
            relay.wake(ids.shard_of(created.tweet.id))

        response.background = BackgroundTask(publish_soon)
        return response

    async def multiget(request: Request) -> Response:
        wanted = await service.body(request, api.Ids)
        return service.json_response(await reading.multiget(wanted.ids))

    async def by_users(request: Request) -> Response:
        wanted = await service.body(request, api.ByUsers)
        return service.json_response(await reading.ids_by_users(wanted.user_ids, limit=wanted.limit, before=wanted.before))

    return [
        Route(Internal.CREATE, create, methods=["POST"]),
        Route(Internal.MULTIGET, multiget, methods=["POST"]),
        Route(Internal.BY_USERS, by_users, methods=["POST"]),
    ]
