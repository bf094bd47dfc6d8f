"""Builds the search service: HTTP over what its consumer has read from the stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.instrumentation import clients, service
from reference_app.instrumentation.guarding import Guard
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.deciders import Deciders
from reference_app.kit.replay import Replay
from reference_app.kit.settings import Settings
from reference_app.kit.stream import Stream
from reference_app.kit.tasks import Background
from reference_app.services.search.consumer import Consumer
from reference_app.services.search.recent import Recent
from reference_app.services.search.routes import Endpoints


@asynccontextmanager
async def compose(settings: Settings, recorder: Recorder) -> AsyncIterator[ASGIApp]:
    """The ASGI app; the consumer runs while it is open."""
    background, recent, deciders = Background(), Recent(), Deciders(settings.home.deciders_file)
    stream = Stream(settings.lab.component("events-0"), observe=recorder.stream_client)
    consumer = Consumer(Replay(stream, observe=recorder.stream_client), recent, recorder=recorder)
    background.start("consumer", consumer.run)
    try:
        gate = clients.gate(deciders, stream=stream)
        yield service.app(Endpoints(recent, consumer).routes(), recorder, guard=Guard(deciders, recorder), gate=gate)
    finally:
        await background.stop()
        await stream.close()
