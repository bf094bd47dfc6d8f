"""The ASGI app of the users service."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.instrumentation import clients, service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.settings import Settings
from reference_app.services.users.routes import Endpoints
from reference_app.services.users.store import Users

DATABASE = "users-db-0"


def build(*, store: Users, recorder: Recorder, signing_key: str, now: Callable[[], float] = time.time) -> ASGIApp:
    """The app over a store. `now` in Unix seconds."""
    return service.app(Endpoints(store, signing_key=signing_key, now=now).routes(), recorder)


@asynccontextmanager
async def compose(settings: Settings) -> AsyncIterator[ASGIApp]:
    """The app over its database."""
    recorder = Recorder()
    database = clients.database(settings.lab, settings.lab.component(DATABASE), recorder)
    try:
        yield build(store=Users(database), recorder=recorder, signing_key=settings.lab.signing_key)
    finally:
        await database.close()
