"""Builds the fan-out service: an HTTP frame for health and metrics around the consumer."""

from __future__ import annotations

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
from reference_app.services.fanout.consumer import Consumer
from reference_app.services.fanout.delivery import Delivery
from reference_app.services.fanout.threshold import Threshold


@asynccontextmanager
async def compose(settings: Settings, recorder: Recorder) -> AsyncIterator[ASGIApp]:
    """The ASGI app; the consumer runs while it is open."""
    background, deciders = Background(), Deciders(settings.home.deciders_file)
    caches = clients.caches(settings.lab, "timeline-cache", recorder, deciders)
    graph = clients.services(settings.lab, "graph", recorder, deciders)
    failpoints = Failpoints(settings.home.failpoints_file)
    membership = clients.membership(settings.lab, "timeline-cache", recorder)
    delivery = Delivery(caches, membership, graph, deciders=deciders, failpoints=failpoints, recorder=recorder)
    stream = Stream(settings.lab.component("events-0"), observe=recorder.stream_client)
    background.start("consumer", Consumer(stream, delivery, recorder=recorder).run)
    background.start("threshold", Threshold(caches, deciders).run)
    try:
        gate = clients.gate(deciders, caches=caches.values(), groups=[graph], stream=stream)
        yield service.app([], recorder, gate=gate)
    finally:
        await background.stop()
        await stream.close()
