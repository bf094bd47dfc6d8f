"""Builds the collector from its settings."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.collector import relay
from reference_app.collector.intake import Intake
from reference_app.collector.segments import Segments
from reference_app.collector.writer import Writer
from reference_app.instrumentation import service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.settings import Settings


@asynccontextmanager
async def compose(settings: Settings, recorder: Recorder) -> AsyncIterator[ASGIApp]:
    """The ASGI app. What was taken is on disk when this closes."""
    backend = relay.backend(os.environ, settings.component.port)
    with Writer(Segments(settings.home.traces), recorder) as writer, ThreadPoolExecutor(1, "decoder") as decoder:
        async with relay.relaying(backend, recorder) as pass_on:
            yield service.app(Intake(writer.add, pass_on, decoder=decoder, recorder=recorder).routes, recorder)
