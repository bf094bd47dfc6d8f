"""Builds the tweets service from its settings, and its background loops."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.instrumentation import clients, service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.deciders import Deciders
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.settings import Settings
from reference_app.kit.stream import Stream
from reference_app.kit.tasks import Background
from reference_app.services.tweets.deleting import Deleting
from reference_app.services.tweets.engagement import Engagement
from reference_app.services.tweets.forgetting import Forgetting
from reference_app.services.tweets.posting import Posting
from reference_app.services.tweets.reading import Reading
from reference_app.services.tweets.reconciler import Reconciler
from reference_app.services.tweets.relay import Relay
from reference_app.services.tweets.routes import Endpoints
from reference_app.services.tweets.snowflake import Snowflake
from reference_app.services.tweets.tweet_cache import TweetCache, marker_clients


@asynccontextmanager
async def compose(settings: Settings, recorder: Recorder) -> AsyncIterator[ASGIApp]:
    """The ASGI app; loops run while it is open."""
    background = Background()
    failpoints, deciders = Failpoints(settings.home.failpoints_file), Deciders(settings.home.deciders_file)
    name = settings.component.name
    snowflake = Snowflake(process=settings.component.index, mark_file=settings.home.data / name / "snowflake.mark")
    shards = clients.shards(settings.lab, "tweets-db", recorder, deciders)
    caches = clients.caches(settings.lab, "tweet-cache", recorder)
    markers = marker_clients(settings.lab.group("tweet-cache"), recorder)
    cache = TweetCache(caches, markers, deciders=deciders, recorder=recorder)
    stream = Stream(settings.lab.component("events-0"), observe=recorder.stream_client)
    forgetting = Forgetting(cache)
    relay = Relay(shards, stream, forgetting, failpoints=failpoints, recorder=recorder)
    reading = Reading(shards, cache)
    posting = Posting(shards, snowflake, failpoints=failpoints, recorder=recorder)
    for shard in shards:
        background.start(f"relay-{shard.index}", functools.partial(relay.run, shard))
    background.start("relay-tidy", relay.tidy)
    background.start("forgetting", forgetting.run)
    background.start("reconciler", Reconciler(shards, forgetting, recorder=recorder).run)
    endpoints = Endpoints(
        posting, reading, Engagement(shards, reading, posting), Deleting(shards, forgetting, failpoints), relay, failpoints
    )
    try:
        yield service.app(endpoints.routes(), recorder)
    finally:
        await background.stop()
        await stream.close()
        snowflake.close()
