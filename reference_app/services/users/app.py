"""The ASGI app of the users service."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.instrumentation import clients, service
from reference_app.instrumentation.guarding import Guard
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.deciders import Deciders
from reference_app.kit.settings import Settings
from reference_app.services.users.routes import Endpoints
from reference_app.services.users.store import Users


@asynccontextmanager
async def compose(settings: Settings, recorder: Recorder) -> AsyncIterator[ASGIApp]:
    """The app over its database, which is one shard."""
    deciders = Deciders(settings.home.deciders_file)
    (shard,) = clients.shards(settings.lab, "users-db", recorder, deciders, settings.configuration)
    endpoints = Endpoints(Users(shard), signing_key=settings.lab.signing_key, now=time.time)
    yield service.app(endpoints.routes(), recorder, guard=Guard(deciders, recorder), gate=clients.gate(deciders, shards=[shard]))
