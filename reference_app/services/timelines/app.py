"""Builds the timelines service from its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.instrumentation import service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit import http
from reference_app.kit.cache import Cache
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.settings import Settings
from reference_app.services.timelines.peers import Peers
from reference_app.services.timelines.people import People
from reference_app.services.timelines.reading import Reading
from reference_app.services.timelines.rebuilding import Rebuilding
from reference_app.services.timelines.routes import routes
from reference_app.services.timelines.store import Lists


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[ASGIApp]:
    """The ASGI app."""
    recorder, lab = Recorder(), settings.lab
    caches = {c.name: Cache(c, observe=recorder.db_client, breaker=recorder.breaker(c.name)) for c in lab.group("timeline-cache")}
    groups = {name: http.Group(lab.group(name), observe=recorder.http_client) for name in ("tweets", "users", "graph")}
    lists, peers = Lists(caches), Peers(**groups)
    people = People(peers)
    rebuilding = Rebuilding(lists, peers, people, failpoints=Failpoints(settings.home.failpoints_file), recorder=recorder)
    yield service.app(routes(Reading(lists, peers, people, rebuilding)), recorder)
