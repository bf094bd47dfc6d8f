"""The ASGI app of the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from reference_app.contract import topology
from reference_app.instrumentation import clients, service
from reference_app.instrumentation.recorder import Recorder
from reference_app.kit.deciders import Deciders
from reference_app.kit.settings import Settings
from reference_app.kit.warmup import Gate
from reference_app.services.gateway import accounts, discovery, domain, openapi, people, reading, suggesting, tweeting, web
from reference_app.services.gateway.access import Access
from reference_app.services.gateway.callees import Callees
from reference_app.services.gateway.daily_limits import DailyLimits
from reference_app.services.gateway.shedding import Shedding


def build(
    *, callees: Callees, recorder: Recorder, deciders: Deciders, limits: DailyLimits, signing_key: str, gate: Gate | None = None
) -> ASGIApp:
    """The app over the services behind it."""
    access = Access(signing_key)
    routes = [
        *accounts.Endpoints(callees).routes(),
        *tweeting.Endpoints(callees, access, limits).routes(),
        *reading.Endpoints(callees, access, recorder).routes(),
        *people.Endpoints(callees, access).routes(),
        *discovery.Endpoints(callees).routes(),
        *suggesting.Endpoints(callees, access).routes(),
        *openapi.Endpoint().routes(),
    ]
    shedding = Shedding(deciders, recorder)
    return service.app([*shedding.guarded(routes), *web.Page(shedding).routes()], recorder, gate=gate, entry=deciders)


@asynccontextmanager
async def compose(settings: Settings, recorder: Recorder) -> AsyncIterator[ASGIApp]:
    """The app over all instances of the services behind it."""
    deciders = Deciders(settings.home.deciders_file)
    domain.tweet_text("warm.up ⭐")  # compiles the patterns, 0.1 s that no request shall wait for
    groups = {name: clients.services(settings.lab, name, recorder, deciders) for name in topology.SERVICE_EDGES["gateway"]}
    try:
        gate = clients.gate(deciders, groups=groups.values())
        limits = DailyLimits(settings.home.limits_file, deciders, recorder)
        key = settings.lab.signing_key
        yield build(callees=Callees(**groups), recorder=recorder, deciders=deciders, limits=limits, signing_key=key, gate=gate)
    finally:
        for group in groups.values():
            group.close()
