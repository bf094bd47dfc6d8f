"""Builds the tweets service from its settings, and its background loops."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.instrumentation import clients, service
from reference_app.instrumentation.guarding import Guard
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.deciders import Deciders
from reference_app.kit.ejection import Ejection
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.keyvalue import KeyValue
from reference_app.kit.settings import Settings
from reference_app.kit.stream import Stream
from reference_app.kit.tasks import Background
from reference_app.services.tweets.cache_nodes import CacheNodes, marker_clients
from reference_app.services.tweets.cold_reads import ColdReads
from reference_app.services.tweets.counting import Counting
from reference_app.services.tweets.deleting import Deleting
from reference_app.services.tweets.engagement import Engagement
from reference_app.services.tweets.forgetting import Forgetting
from reference_app.services.tweets.posting import Posting
from reference_app.services.tweets.reading import Reading
from reference_app.services.tweets.reconciler import Reconciler
from reference_app.services.tweets.recounting import Recounting
from reference_app.services.tweets.relay import Relay
from reference_app.services.tweets.routes import Endpoints
from reference_app.services.tweets.simulated_cold_store import SimulatedColdStore
from reference_app.services.tweets.snowflake import Snowflake
from reference_app.services.tweets.tweet_cache import TweetCache


@asynccontextmanager
async def compose(settings: Settings, recorder: Recorder) -> AsyncIterator[ASGIApp]:
    """The ASGI app; loops run while it is open."""
    background = Background()
    failpoints, deciders = Failpoints(settings.home.failpoints_file), Deciders(settings.home.deciders_file)
    name = settings.component.name
    snowflake = Snowflake(process=settings.component.index, mark_file=settings.home.data / name / "snowflake.mark")
    shards = clients.shards(settings.lab, "tweets-db", recorder, deciders, settings.configuration)
    caches = clients.caches(settings.lab, "tweet-cache", recorder, deciders)
    markers = marker_clients(settings.lab.group("tweet-cache"), recorder)
    ejection = Ejection(enabled=lambda: deciders.on("independent_ejection"))
    nodes = CacheNodes(caches, markers, clients.membership(settings.lab, "tweet-cache", recorder), ejection)
    cache = TweetCache(nodes, deciders=deciders, recorder=recorder)
    simulated = SimulatedColdStore(deciders=deciders, recorder=recorder)
    cold_reads = ColdReads(shards, cache, simulated, deciders=deciders, recorder=recorder)
    stream = Stream(settings.lab.component("events-0"), observe=recorder.stream_client)
    forgetting = Forgetting(cache)
    relay = Relay(shards, stream, forgetting, deciders=deciders, failpoints=failpoints, recorder=recorder)
    counters = KeyValue(clients.services(settings.lab, "keyvalue", recorder, deciders))
    counting, recounting = Counting(shards, counters, recorder=recorder), Recounting(shards, counters, recorder=recorder)
    reading = Reading(shards, cache, cold_reads)
    posting = Posting(shards, snowflake, failpoints=failpoints, recorder=recorder)
    for shard in shards:
        background.start(f"relay-{shard.index}", functools.partial(relay.run, shard))
        background.start(f"counting-{shard.index}", functools.partial(counting.run, shard))
        background.start(f"recounting-{shard.index}", functools.partial(recounting.run, shard))
    background.start("relay-tidy", relay.tidy)
    background.start("relay-watch", relay.watch)
    background.start("refresh", cold_reads.run)
    background.start("forgetting", forgetting.run)
    background.start("reconciler", Reconciler(shards, forgetting, recorder=recorder).run)
    endpoints = Endpoints(
        posting, reading, Engagement(shards, reading, posting), Deleting(shards, forgetting, failpoints), relay, counting, failpoints
    )
    try:
        gate = clients.gate(deciders, shards=shards, caches=caches.values(), stream=stream)
        yield service.app(endpoints.routes(), recorder, guard=Guard(deciders, recorder), gate=gate)
    finally:
        await background.stop()
        await stream.close()
        snowflake.close()
