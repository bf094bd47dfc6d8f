"""Builds the timelines service from its settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.instrumentation import clients, service
from reference_app.instrumentation.guarding import Guard
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.deciders import Deciders
from reference_app.kit.failpoints import Failpoints
from reference_app.kit.settings import Settings
from reference_app.services.timelines.peers import Peers
from reference_app.services.timelines.people import People
from reference_app.services.timelines.reading import Reading
from reference_app.services.timelines.rebuilding import Rebuilding
from reference_app.services.timelines.routes import routes
from reference_app.services.timelines.simulated_workers import SimulatedWorkers
from reference_app.services.timelines.store import Lists


@asynccontextmanager
async def compose(settings: Settings, recorder: Recorder) -> AsyncIterator[ASGIApp]:
    """The ASGI app."""
    lab = settings.lab
    deciders = Deciders(settings.home.deciders_file)
    caches = clients.caches(lab, "timeline-cache", recorder, deciders)
    groups = {name: clients.services(lab, name, recorder, deciders) for name in ("tweets", "users", "graph")}
    lists, peers = Lists(caches, clients.membership(lab, "timeline-cache", recorder)), Peers(**groups)
    people = People(peers, deciders)
    rebuilding = Rebuilding(lists, peers, people, failpoints=Failpoints(settings.home.failpoints_file), recorder=recorder)
    reading = Reading(lists, peers, people, rebuilding, recorder=recorder)
    gate = clients.gate(deciders, caches=caches.values(), groups=groups.values())
    workers = SimulatedWorkers(deciders=deciders, recorder=recorder)
    yield service.app(routes(reading, workers), recorder, guard=Guard(deciders, recorder), gate=gate)
