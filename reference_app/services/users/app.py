"""The ASGI app of the users service."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.instrumentation import clients, service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.deciders import Deciders
from reference_app.kit.settings import Settings
from reference_app.services.users.routes import Endpoints
from reference_app.services.users.store import Users


def build(*, store: Users, recorder: Recorder, signing_key: str, now: Callable[[], float] = time.time) -> ASGIApp:
    """The app over a store. `now` in Unix seconds."""
    return service.app(Endpoints(store, signing_key=signing_key, now=now).routes(), recorder)


@asynccontextmanager
async def compose(settings: Settings, recorder: Recorder) -> AsyncIterator[ASGIApp]:
    """The app over its database, which is one shard."""
    (shard,) = clients.shards(settings.lab, "users-db", recorder, Deciders(settings.home.deciders_file))
    yield build(store=Users(shard), recorder=recorder, signing_key=settings.lab.signing_key)
