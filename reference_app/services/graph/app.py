"""The ASGI app of the graph service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.instrumentation import clients, service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.settings import Settings
from reference_app.services.graph.routes import Endpoints
from reference_app.services.graph.store import Follows

DATABASE = "graph-db-0"


def build(*, store: Follows, recorder: Recorder) -> ASGIApp:
    """The app over a store."""
    return service.app(Endpoints(store).routes(), recorder)


@asynccontextmanager
async def compose(settings: Settings) -> AsyncIterator[ASGIApp]:
    """The app over its database."""
    recorder = Recorder()
    database = clients.database(settings.lab, settings.lab.component(DATABASE), recorder)
    try:
        yield build(store=Follows(database), recorder=recorder)
    finally:
        await database.close()
