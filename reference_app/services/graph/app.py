"""Builds the graph service from its settings, and its repair loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.instrumentation import clients, service
from reference_app.instrumentation.guarding import Guard
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.deciders import Deciders
from reference_app.kit.settings import Settings
from reference_app.kit.tasks import Background
from reference_app.services.graph.changing import Changing
from reference_app.services.graph.reading import Reading
from reference_app.services.graph.repairing import Repairing
from reference_app.services.graph.routes import Endpoints


@asynccontextmanager
async def compose(settings: Settings, recorder: Recorder) -> AsyncIterator[ASGIApp]:
    """The ASGI app; the repair loop runs while it is open."""
    background, deciders = Background(), Deciders(settings.home.deciders_file)
    shards = clients.shards(settings.lab, "graph-db", recorder, deciders, settings.configuration)
    changing = Changing(shards)
    background.start("repair", Repairing(shards, changing).run)
    try:
        routes, gate = Endpoints(changing, Reading(shards)).routes(), clients.gate(deciders, shards=shards)
        yield service.app(routes, recorder, guard=Guard(deciders, recorder), gate=gate)
    finally:
        await background.stop()
