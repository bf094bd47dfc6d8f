"""Builds the fan-out service: an HTTP frame for health and metrics around the consumer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.instrumentation import clients, service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.settings import Settings
from reference_app.kit.stream import Stream
from reference_app.kit.tasks import Background
from reference_app.services.fanout.consumer import Consumer
from reference_app.services.fanout.delivery import Delivery


@asynccontextmanager
async def compose(settings: Settings, recorder: Recorder) -> AsyncIterator[ASGIApp]:
    """The ASGI app; the consumer runs while it is open."""
    background = Background()
    caches = clients.caches(settings.lab, "timeline-cache", recorder)
    graph = clients.services(settings.lab, "graph", recorder)
    delivery = Delivery(caches, graph, failpoints=Failpoints(settings.home.failpoints_file), recorder=recorder)
    stream = Stream(settings.lab.component("events-0"), observe=recorder.stream_client)
    background.start("consumer", Consumer(stream, delivery, recorder=recorder).run)
    try:
        yield service.app([], recorder)
    finally:
        await background.stop()
        await stream.close()
